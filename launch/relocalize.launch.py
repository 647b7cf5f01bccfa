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
Start the node, and RViz where asked for.

    ros2 launch posenet_ros relocalize.launch.py model:=run1_posenet image:=/camera/image_raw

What is given here goes before the parameter file, and what is not given is left to it.
"""

from pathlib import Path

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterFile, ParameterValue
from launch_ros.substitutions import FindPackageShare
from posenet_ros.data.topics import camera_info_beside
from posenet_ros.nodes.parameter_file import parameters_in_file
from posenet_ros.nodes.runs import newest_run

ARGUMENTS = {
    'model': (
        '',
        'model folder or training run; empty takes the one that params_file names, or else the '
        'newest *_posenet folder here',
    ),
    'image': ('/camera/image_raw', 'image topic, without the /compressed of a transport'),
    'camera_info': ('', 'CameraInfo topic; empty takes the one beside the image topic'),
    'image_transport': ('', 'raw or compressed; empty leaves it to params_file (else raw)'),
    'base_frame': (
        '',
        "the robot's frame; empty leaves it to params_file (else the camera's poses)",
    ),
    'recovery': (
        '',
        'what is done about a robot that was carried away: off, advise or act; empty leaves it to '
        'params_file (else advise)',
    ),
    'rviz': ('false', 'also start RViz with our view'),
    'use_sim_time': ('', 'take the time from /clock; empty leaves it to params_file (else false)'),
    'params_file': ('', 'YAML file of parameters; empty takes config/relocalize.yaml'),
    'namespace': ('', 'namespace of the node, for a second robot or camera'),
}


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; what depends on their values comes when they are known."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=start)])


def start(context: LaunchContext) -> list:
    """Return the actions for these arguments; one error line where there is no model."""
    given = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    share = Path(FindPackageShare('posenet_ros').perform(context))
    file = Path(given['params_file'] or share / 'config' / 'relocalize.yaml').expanduser()
    image, namespace = given['image'], given['namespace'].strip('/')
    info = given['camera_info'] or camera_info_beside(image)
    # A launch file that includes this one may have pushed a namespace.
    outer = context.launch_configurations.get('ros_namespace', '').strip('/')
    prefix = ''.join(f'/{part}' for part in (outer, namespace) if part)
    in_file = parameters_in_file(file, f'{prefix}/posenet')
    told, model = choose_model(given['model'], in_file.get('model'), file)
    parameters = overrides(given)
    node = Node(
        package='posenet_ros',
        executable='relocalize',
        name='posenet',
        namespace=namespace,
        # Not a parameter: of several sections of a file the last wins, even over launch's own.
        arguments=model,
        parameters=[ParameterFile(str(file)), parameters],
        remappings=[('image', image), ('camera_info', info)],
        output='screen',
        emulate_tty=True,
    )
    # The view names topics of a node without a namespace; remapping brings them to this one.
    outputs = (
        *('pose', 'pose_with_covariance', 'verified_pose_with_covariance', 'fix', 'trail'),
        'neighbour/compressed',
    )
    simulated = parameters.get('use_sim_time', in_file.get('use_sim_time') is True)
    viewer = Node(
        package='rviz2',
        executable='rviz2',
        namespace=namespace,
        arguments=['-d', str(share / 'rviz' / 'posenet.rviz')],
        parameters=[{'use_sim_time': simulated}],
        remappings=[
            ('/image', image),
            *((f'/posenet/{name}', f'{prefix}/posenet/{name}') for name in outputs),
        ],
        condition=IfCondition(LaunchConfiguration('rviz')),
    )
    return [LogInfo(msg=f'model: {told}'), node, viewer]


def choose_model(argument: str, in_file: object, file: Path) -> tuple[str, list[str]]:
    """Return which model to tell of, and what the node needs to hear of it besides its file."""
    if not argument and in_file:
        return f'{in_file} ({file})', []
    model = Path(argument).expanduser() if argument else newest_run(Path.cwd())
    return str(model), ['--model', str(model.resolve())]


def overrides(given: dict[str, str]) -> dict[str, object]:
    """Return the parameters that were given as arguments."""
    # As text: launch reads what looks like YAML, to which `off` is a truth value.
    parameters: dict[str, object] = {
        name: ParameterValue(given[name], value_type=str)
        for name in ('image_transport', 'base_frame', 'recovery')
        if given[name]
    }
    if given['use_sim_time']:
        simulated = LaunchConfiguration('use_sim_time')
        parameters['use_sim_time'] = ParameterValue(simulated, value_type=bool)
    return parameters
