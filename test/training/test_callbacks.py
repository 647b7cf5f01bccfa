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

"""The checkpoint of a training survives a disk that fills up, and averages are averages."""

from types import SimpleNamespace

from posenet_ros.training.callbacks import AverageOnGpu, LastEpoch
import pytest
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_avg_fn


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


def test_the_average_on_a_gpu_is_that_of_torch_and_goes_on_from_a_checkpoint():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    expected = AveragedModel(model, avg_fn=get_ema_avg_fn(0.8), use_buffers=True)
    found = AverageOnGpu(model, 0.8, torch.device('cpu'))
    for turn in range(6):
        with torch.no_grad():
            for value in model.parameters():
                value += torch.randn_like(value)
        model(torch.randn(5, 3))
        if turn == 3:
            kept, found = found.state_dict(), AverageOnGpu(model, 0.8, torch.device('cpu'))
            found.load_state_dict(kept)
        expected.update_parameters(model)
        found.update_parameters(model)
    assert found.n_averaged == 6
    for name, value in expected.state_dict().items():
        assert torch.allclose(found.state_dict()[name].float(), value.float(), atol=1e-6), name
