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

"""Open whatever holds a recording, and say in one line what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import errno
from pathlib import Path
import struct
import sys
from typing import TypeAlias

import apsw
from posenet_ros.errors import BagError
from rosbags import rosbag1, rosbag2
from rosbags.serde import SerdeError

# Where rosbags takes it from, too.
if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Reader: TypeAlias = rosbag1.Reader | rosbag2.Reader

# What the readers raise on damaged files: their own errors, and what slips through from
# the parsers and decompressors below them.
_DAMAGE = (
    rosbag1.ReaderError,
    rosbag2.ReaderError,
    SerdeError,
    apsw.Error,
    zstd.ZstdError,
    struct.error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)
# Not the file's fault: a compressed bag is unpacked to the temporary folder.
_NOT_DAMAGE = {errno.EACCES, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENOMEM, errno.EMFILE}

_REPAIRS = {
    '.mcap': 'repair it with "mcap recover", or record again',
    '.db3': 'repair it with "sqlite3 BAG .recover", or record again',
    '.bag': 'repair it with "rosbag reindex", or record again',
}


@contextmanager
def damage_reported(path: Path) -> Iterator[None]:
    """Raise BagError for whatever a reader of `path` stumbles over inside the block."""
    try:
        yield
    except OSError as error:
        if error.errno in _NOT_DAMAGE:
            raise
        raise _damaged(path, error) from error
    except _DAMAGE as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: BaseException) -> BagError:
    reason = ' '.join(str(error).split()).rstrip('.') or type(error).__name__
    return BagError(f'{path} is truncated or damaged ({reason}); {_repair(path)}')


def _repair(path: Path) -> str:
    suffixes = {path.suffix}
    if path.is_dir():
        suffixes = {file.suffix for file in path.iterdir()}
    known = [_REPAIRS[suffix] for suffix in sorted(suffixes) if suffix in _REPAIRS]
    return known[0] if known else 'record again'


def open_reader(path: Path) -> Reader:
    """
    Open a rosbag2 folder, a single .mcap or .db3 file, or a ROS 1 .bag file.

    Raises BagError where there is none, or where it is damaged so that opening shows it.
    """
    if not path.exists():
        raise BagError(f'no such recording: {path}')
    reader_class: type[Reader]
    if path.is_dir():
        if not (path / 'metadata.yaml').is_file():
            raise BagError(_why_no_bag(path))
        reader_class = rosbag2.Reader
    elif path.suffix in ('.mcap', '.db3'):
        reader_class = rosbag2.Reader
    elif path.suffix == '.bag':
        reader_class = rosbag1.Reader
    else:
        raise BagError(
            f'{path} is no recording; give a rosbag2 folder, a .mcap or .db3 file, or a ROS 1 .bag'
        )
    with damage_reported(path):
        reader = reader_class(path)
        reader.open()
    return reader


def _why_no_bag(folder: Path) -> str:
    """Say what could be meant by a folder without metadata.yaml."""
    files = sorted(file for file in folder.iterdir() if file.suffix in _REPAIRS)
    bags = sorted(file.parent for file in folder.glob('*/metadata.yaml'))
    if len(files) == 1:
        return f'{folder} has no metadata.yaml; give the file itself: {files[0]}'
    if files:
        return f'{folder} has no metadata.yaml; run "ros2 bag reindex {folder}"'
    if bags:
        return f'{folder} is no recording but holds some; give one, such as {bags[0]}'
    return f'{folder} is no recording: it has no metadata.yaml and no .mcap, .db3 or .bag file'
