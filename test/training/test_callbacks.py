# Copyright 2026 The posenet_ros authors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""The checkpoint of a training survives a disk that fills up."""

from types import SimpleNamespace

from posenet_ros.training.callbacks import LastEpoch
import pytest


class Trainer:
    """Ends at its first epoch, and writes what it is told."""

    current_epoch, max_epochs, is_global_zero = 0, 1, True
    strategy = SimpleNamespace(broadcast=lambda due: due)

    def __init__(self, content, room=None):
        self.content = content
        self.room = room

    def save_checkpoint(self, path):
        path.write_bytes(self.content[: self.room])
        if self.room is not None:
            raise OSError(28, 'No space left on device', str(path))


def test_a_disk_that_fills_up_leaves_the_last_checkpoint_whole(tmp_path):
    path = tmp_path / 'last.ckpt'
    LastEpoch(path).on_train_epoch_end(Trainer(b'epoch 1'))
    assert path.read_bytes() == b'epoch 1'
    with pytest.raises(OSError, match='No space'):
        LastEpoch(path).on_train_epoch_end(Trainer(b'epoch 2', room=3))
    assert path.read_bytes() == b'epoch 1'
    assert list(tmp_path.iterdir()) == [path]
