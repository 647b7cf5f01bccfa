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

"""Install posenet_ros: by colcon into a ROS 2 workspace, or by pip anywhere."""

import ast
from pathlib import Path

from setuptools import find_packages, setup

NAME = 'posenet_ros'

# `ros2 run` looks for executables in lib/posenet_ros. Console scripts would put names such as
# `train` on the PATH of whoever uses pip, and their shebang names one interpreter for good; these
# find the python3 of the environment that is active, so that a venv beside ROS works.
WRAPPER = """#!/usr/bin/env python3
import sys

from posenet_ros.__main__ import main

# A process that is started anew for a part of the work imports this file again.
if __name__ == '__main__':
    sys.exit(main(['{command}', *sys.argv[1:]]))
"""


def commands():
    """Read the names in the command table without importing what the commands need."""
    table = ast.parse(Path(NAME, '__main__.py').read_text(encoding='utf-8'))
    for node in table.body:
        if isinstance(node, ast.Assign) and node.targets[0].id == 'COMMANDS':
            return [key.value for key in node.value.keys]
    raise SystemExit(f'{NAME}/__main__.py has no table COMMANDS')


def wrappers():
    """Write an executable for every command and return their paths, relative to here."""
    folder = Path('build', 'commands')
    folder.mkdir(parents=True, exist_ok=True)
    for command in commands():
        path = folder / command
        path.write_text(WRAPPER.format(command=command), encoding='utf-8')
        path.chmod(0o755)
        yield str(path)


def files(folder):
    """List what lies in a folder of this package, relative to here."""
    return sorted(str(path) for path in Path(folder).iterdir() if path.is_file())


setup(
    name=NAME,
    version='0.1.0',
    description='Find where a camera is: PoseNet for ROS 2, from a recording to a pose on a topic',
    author='The posenet_ros authors',
    maintainer='The posenet_ros authors',
    maintainer_email='maintainers@posenet-ros.example',
    license='Apache-2.0',
    packages=find_packages(exclude=['test', 'test.*']),
    package_data={'': ['*.j2']},
    data_files=[
        ('share/ament_index/resource_index/packages', ['resource/posenet_ros']),
        (f'share/{NAME}', ['package.xml']),
        (f'share/{NAME}/launch', files('launch')),
        (f'share/{NAME}/config', files('config')),
        (f'share/{NAME}/config/nav2', files('config/nav2')),
        (f'share/{NAME}/config/recipes', files('config/recipes')),
        (f'share/{NAME}/rviz', files('rviz')),
        (f'lib/{NAME}', list(wrappers())),
    ],
    python_requires='>=3.10',
    install_requires=[
        'Jinja2>=3.0',
        'PyYAML>=5.4',
        'lightning>=2.4',
        'matplotlib>=3.5',
        'numpy>=1.24',
        # cv_bridge breaks with OpenCV 5.
        'opencv-python-headless>=4.6,<5',
        'pycolmap>=4.0,<5',
        'rosbags>=0.11,<0.12',
        # rosbags reads with these two, and what they raise is caught here.
        'apsw>=3.40',
        'backports.zstd>=1.0; python_version < "3.14"',
        'safetensors>=0.4',
        'scikit-learn>=1.3',
        'scipy>=1.11',
        'tensorboard>=2.14',
        'torch>=2.5',
        'torchvision>=0.20',
        'tqdm>=4.64',
    ],
    extras_require={
        # ROS 2 itself, for a machine without it.
        'ros': [
            'ros-rclpy[fastrtps]',
            'ros-diagnostic-msgs',
            'ros-geometry-msgs',
            'ros-nav-msgs',
            'ros-sensor-msgs',
            'ros-std-srvs',
        ],
        # Faster on the CPU, and `export`.
        'engines': [
            'onnx>=1.16',
            'onnxruntime>=1.18',
            'onnxscript>=0.2',
            'openvino>=2024.4',
        ],
        # The pytest plugin of launch_testing, loaded wherever ROS 2 is sourced, breaks pytest 9.
        'test': ['pytest>=7.0,<9', 'pytest-xdist>=3.0', 'ruff>=0.6'],
    },
    zip_safe=False,
)
