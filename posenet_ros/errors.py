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

"""
What a user can do wrong, said so that they can mend it.

A message is one line: what was wrong, the value, what to do. The command line prints it and
ends with exit code 2; the node logs it and reports it in its diagnostics.
"""


class PosenetError(Exception):
    """Root of every error that this package raises on purpose."""


class GeometryError(PosenetError):
    """Frames that do not meet, a transform that is none, too little data for a fit."""


class BagError(PosenetError):
    """A recording that is missing, damaged, or lacks what was asked of it."""


class ImageError(PosenetError):
    """An image message that cannot be decoded."""


class CaptureError(PosenetError):
    """A capture folder that is incomplete, damaged, or belongs to another run."""


class DatasetError(PosenetError):
    """A data set that does not have the layout it was said to have."""


class LabellingError(PosenetError):
    """Structure from motion failed, or its poses cannot be trusted."""


class ModelError(PosenetError):
    """A model folder that is truncated, foreign, newer than this package, or lacks weights."""


class ConfigError(PosenetError):
    """An option, parameter or configuration file with a value that cannot be used."""


class InterfaceError(PosenetError):
    """A ROS 2 package that this machine lacks, or a message that cannot be converted."""


class TransformError(PosenetError):
    """A transform between two frames that nobody broadcasts, or not at the time asked for."""
