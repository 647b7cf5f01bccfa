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
Build tf2_msgs/TFMessage into this virtual environment, for tests of /tf on the wire.

tf2_msgs comes with every ROS 2 installation but not from PyPI, while the generators that make a
message package do. This runs them on the one-line definition of the message and compiles what
they write with gcc and g++. For development only: the package itself does without.

    python test/tools/build_tf2_msgs.py
"""

from __future__ import annotations

import importlib
import importlib.util
import json
from pathlib import Path
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from typing import Any

PACKAGE = 'tf2_msgs'
DEFINITION = 'geometry_msgs/TransformStamped[] transforms\n'
DEPENDENCIES = ('geometry_msgs', 'std_msgs', 'builtin_interfaces')
TYPE_SUPPORTS = ('rosidl_typesupport_fastrtps_c', 'rosidl_typesupport_introspection_c')
COMPILER_FLAGS = ('-O1', '-fPIC', '-w')


def main() -> int:
    """Build and install, or say in one line why there is nothing to do."""
    if importlib.util.find_spec(PACKAGE) is not None:
        return _say(f'{PACKAGE} is installed already')
    if importlib.util.find_spec('rosidl_generator_py') is None:
        return _say(f'{PACKAGE} left out: the rosidl generators (ros-rclpy) are not installed')
    missing = [name for name in ('gcc', 'g++') if shutil.which(name) is None]
    header = Path(sysconfig.get_path('include'), 'Python.h')
    if not header.is_file():
        missing.append(f'{header} (python3-dev)')
    if missing:
        return _say(f'{PACKAGE} left out: {", ".join(missing)} is missing')
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        _generate(work)
        try:
            _compile(work)
        except subprocess.CalledProcessError as error:
            # Tests of /tf are skipped then; nothing else needs it.
            return _say(f'{PACKAGE} left out: {error.cmd[0]} failed: {error.stderr.strip()}')
    return _say(f'{PACKAGE} built into {sys.prefix}')


def _say(line: str) -> int:
    print(line, flush=True)
    return 0


def _generate(work: Path) -> None:
    """Write Python and C sources to `work`/tf2_msgs, by the generators of the wheels."""
    share = Path(sys.prefix, 'share')
    package = work / PACKAGE
    (package / 'msg').mkdir(parents=True)
    (package / 'msg' / 'TFMessage.msg').write_text(DEFINITION, encoding='utf-8')
    convert = importlib.import_module('rosidl_adapter.msg').convert_msg_to_idl
    convert(package, PACKAGE, Path('msg/TFMessage.msg'), package / 'msg')
    arguments: dict[str, Any] = {
        'package_name': PACKAGE,
        'output_dir': str(package),
        'idl_tuples': [f'{package}:msg/TFMessage.idl'],
        'include_paths': [f'{name}:{share / name}' for name in DEPENDENCIES],
        'ros_interface_files': [str(package / 'msg' / 'TFMessage.msg')],
        'ros_interface_dependencies': [],
        'target_dependencies': [],
    }
    arguments_file = work / 'arguments.json'

    def run(generator: str, function: str, *values: Any) -> None:
        arguments['template_dir'] = str(share / generator / 'resource')
        arguments_file.write_text(json.dumps(arguments), encoding='utf-8')
        getattr(importlib.import_module(generator), function)(str(arguments_file), *values)

    run('rosidl_generator_type_description', 'generate_type_hash')
    arguments['type_description_tuples'] = [
        f'msg/TFMessage.idl:{package / "msg" / "TFMessage.json"}'
    ]
    run('rosidl_generator_c', 'generate_c')
    run('rosidl_typesupport_fastrtps_c', 'generate_typesupport_fastrtps_c')
    run('rosidl_typesupport_introspection_c', 'generate_c')
    run('rosidl_typesupport_c', 'generate_c', list(TYPE_SUPPORTS))
    run('rosidl_generator_py', 'generate_py', ['rosidl_typesupport_c', *TYPE_SUPPORTS])
    for generator in ('rosidl_generator_c', *TYPE_SUPPORTS):
        name = f'{generator}__visibility_control.h'
        text = (share / generator / 'resource' / f'{name}.in').read_text(encoding='utf-8')
        text = text.replace('@PROJECT_NAME_UPPER@', PACKAGE.upper())
        text = text.replace('@PROJECT_NAME@', PACKAGE)
        (package / 'msg' / name).write_text(text, encoding='utf-8')
    (package / '__init__.py').touch()


def _compile(work: Path) -> None:
    """Make one library of everything generated, and a Python module for each type support."""
    package, prefix = work / PACKAGE, Path(sys.prefix)
    headers = prefix / 'include'
    folders = [
        *(headers, *sorted(headers.iterdir()), work),
        *(sysconfig.get_path('include'), importlib.import_module('numpy').get_include()),
    ]
    includes = [f'-I{folder}' for folder in folders]
    sources = [
        *(path for path in package.rglob('*.c') if not path.name.startswith('_')),
        *package.rglob('*_s.c'),
        *package.rglob('*.cpp'),
    ]
    library = prefix / 'lib' / f'lib{PACKAGE}__{TYPE_SUPPORTS[0]}.so'
    # By file name, since some libraries of the wheels carry a suffix and no plain link.
    needed = [
        str(path)
        for name in ('rosidl*', 'rcutils*', 'fastcdr*', *(f'{name}__*' for name in DEPENDENCIES))
        for path in sorted((prefix / 'lib').glob(f'lib{name}.so'))
    ]
    objects = []
    for source in sources:
        compiler = 'g++' if source.suffix == '.cpp' else 'gcc'
        objects.append(str(source.with_suffix(f'{source.suffix}.o')))
        _call(compiler, '-c', str(source), '-o', objects[-1], *COMPILER_FLAGS, *includes)
    _call('g++', '-shared', *objects, '-o', str(library), *needed)
    for other in TYPE_SUPPORTS[1:]:
        alias = library.with_name(f'lib{PACKAGE}__{other}.so')
        alias.unlink(missing_ok=True)
        alias.symlink_to(library.name)
    installed = Path(sysconfig.get_path('purelib'), PACKAGE)
    for support in ('rosidl_typesupport_c', *TYPE_SUPPORTS):
        module = package / f'{PACKAGE}_s__{support}.so'
        entry = package / f'_{PACKAGE}_s.ep.{support}.c'
        linked = (str(entry), '-o', str(module), *includes, str(library), *needed)
        _call('gcc', '-shared', *COMPILER_FLAGS, *linked)
    keep = shutil.ignore_patterns('detail', '*.c', '*.cpp', '*.h', '*.o', '*.idl', '*.json')
    shutil.copytree(package, installed, ignore=keep)


def _call(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


if __name__ == '__main__':
    sys.exit(main())
