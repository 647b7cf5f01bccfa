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

"""The image topic: taken where it is clear, listed where it is not."""

from posenet_ros.data.bags import Recording
from posenet_ros.errors import BagError, ImageError
import pytest


@pytest.fixture
def bag_of(tmp_path, messages, write_bag):
    """Return a function that opens a bag of messages (topic -> list, or one message)."""
    opened = []

    def open_bag(**topics):
        entries = []
        for name, made in topics.items():
            for index, message in enumerate(made if isinstance(made, list) else [made]):
                entries.append(('/' + name.replace('__', '/'), messages.start_ns + index, message))
        bag = write_bag(tmp_path / f'bag{len(opened)}', sorted(entries, key=lambda e: e[1]))
        opened.append(Recording(bag))
        return opened[-1]

    yield open_bag
    for recording in opened:
        recording.close()


def images(messages, count, make='image', **options):
    stamps_ns = [messages.start_ns + index * messages.step_ns for index in range(count)]
    return [getattr(messages, make)(stamp_ns, **options) for stamp_ns in stamps_ns]


def test_no_image_topic_lists_the_topics_there_are(bag_of, messages):
    bag = bag_of(info=messages.info(), tf=messages.tf(5))
    with pytest.raises(BagError, match=r'no colour images; its topics: /info .*, /tf ') as error:
        bag.image_topic()
    assert '\n' not in str(error.value)


def test_two_cameras_are_listed_with_the_flag_to_use(bag_of, messages):
    bag = bag_of(left=images(messages, 2), right=images(messages, 3, 'compressed'))
    expected = r'2 image topics; .* --image-topic: /left \(2 images\), /right \(3 images\)'
    with pytest.raises(BagError, match=expected):
        bag.image_topic()
    assert bag.image_topic('/right') == '/right'
    assert bag.image_topic('left') == '/left'


def test_a_named_topic_that_is_missing_or_no_image_is_said(bag_of, messages):
    bag = bag_of(left=messages.image(1), info=messages.info())
    with pytest.raises(BagError, match='no topic /rigth; image topics: /left'):
        bag.image_topic('/rigth')
    with pytest.raises(BagError, match='/info is sensor_msgs/msg/CameraInfo, not an image'):
        bag.image_topic('/info')


def test_raw_and_compressed_topics_of_a_camera_are_one_choice(bag_of, messages):
    few, many = images(messages, 2), images(messages, 3, 'compressed')
    assert bag_of(c=few, c__compressed=many).image_topic() == '/c/compressed'
    assert bag_of(c=images(messages, 3), c__compressed=many).image_topic() == '/c'
    assert bag_of(c=images(messages, 3), c__compressed=many[:1]).image_topic() == '/c'


def test_the_name_of_a_camera_means_its_compressed_topic_where_only_that_is_there(
    bag_of, messages
):
    bag = bag_of(c__compressed=messages.compressed(5))
    assert bag.image_topic('/c') == '/c/compressed'
    assert bag.image_topic('/c/compressed') == '/c/compressed'


@pytest.mark.parametrize('encoding', ['16UC1', '32FC1'])
def test_depth_images_are_no_candidates(bag_of, messages, encoding):
    bag = bag_of(colour=messages.image(1), distance=messages.image(1, encoding=encoding))
    assert bag.image_topic() == '/colour'
    with pytest.raises(BagError, match='no colour images'):
        bag_of(distance=messages.image(1, encoding=encoding)).image_topic()


def test_compressed_depth_is_no_candidate(bag_of, messages):
    depth = messages.compressed(1, name='16UC1; compressedDepth png')
    assert bag_of(colour=messages.image(1), c__compressedDepth=depth).image_topic() == '/colour'


def test_topics_named_after_depth_are_passed_over_where_others_are_left(bag_of, messages):
    tinted = messages.image(1)
    assert bag_of(depth__tinted=tinted, colour=messages.image(1)).image_topic() == '/colour'
    assert bag_of(depth_cam__rgb=tinted).image_topic() == '/depth_cam/rgb'


def test_a_clock_that_jumps_back_is_refused(bag_of, messages):
    second = 10**9
    made = [messages.image(stamp * second) for stamp in (100, 101, 50)]
    with pytest.raises(BagError, match=r'jumps back from 101\.0+ to 50\.0+; cut'):
        list(bag_of(image=made).images('/image'))


def test_messages_of_an_unknown_topic_are_refused_at_once(bag_of, messages):
    with pytest.raises(BagError, match='has no topic /b; its topics: /a'):
        bag_of(a=messages.image(1)).messages(['/a', '/b'])


def test_the_camera_is_the_one_beside_the_images(bag_of, messages):
    bag = bag_of(
        left__image_raw=messages.image(1),
        left__camera_info=messages.info(focal=11),
        right__camera_info=messages.info(focal=22),
    )
    assert bag.camera('/left/image_raw').fx == 11


def test_the_camera_info_of_a_compressed_topic_is_beside_the_raw_one(bag_of, messages):
    bag = bag_of(c__image_raw__compressed=messages.compressed(1), c__camera_info=messages.info())
    assert bag.camera('/c/image_raw/compressed').fx == 10


def test_else_the_camera_is_the_only_one_of_size_and_frame(bag_of, messages):
    image = messages.image(1, frame_id='/left')
    bag = bag_of(
        a=image,
        i1=messages.info(focal=11, frame_id='left'),
        i2=messages.info(focal=22, frame_id='right'),
        i3=messages.info(focal=33, frame_id='left', size=(16, 12)),
    )
    assert bag.camera('/a').fx == 11
    only_size = bag_of(a=image, i1=messages.info(focal=11, frame_id='other'))
    assert only_size.camera('/a').fx == 11
    unclear = bag_of(a=image, i1=messages.info(focal=11), i2=messages.info(focal=22))
    assert unclear.camera('/a') is None
    assert bag_of(a=image).camera('/a') is None


def test_images_scaled_after_calibration_scale_the_camera(bag_of, messages):
    bag = bag_of(c__image=messages.image(1), c__camera_info=messages.info(size=(16, 12)))
    camera = bag.camera('/c/image')
    assert (camera.width, camera.height, camera.fx) == (8, 6, 5)


def test_a_camera_of_another_shape_is_left_out_with_a_warning(bag_of, messages, caplog):
    bag = bag_of(c__image=messages.image(1), c__camera_info=messages.info(size=(8, 8)))
    assert bag.camera('/c/image') is None
    assert 'for 8x8 pixels, the images have 8x6' in caplog.text


def test_an_uncalibrated_camera_is_left_out_with_a_warning(bag_of, messages, caplog):
    bag = bag_of(c__image=messages.image(1), c__camera_info=messages.info(focal=0))
    assert bag.camera('/c/image') is None
    assert '/c/camera_info is of no use' in caplog.text


def test_a_rectified_topic_has_the_camera_of_p(bag_of, messages):
    info = messages.info(d=(0.1, 0.2, 0, 0, 0))
    bag = bag_of(c__image_rect_color=messages.image(1), c__camera_info=info)
    camera = bag.camera('/c/image_rect_color')
    assert (camera.fx, camera.cx, camera.cy, camera.distortion) == (5, 2, 1, 'none')


def test_a_damaged_first_image_does_not_hide_the_camera(bag_of, messages):
    made = images(messages, 2, 'compressed')
    made[0].data = made[0].data[:20]
    bag = bag_of(c__image=made, c__camera_info=messages.info())
    assert bag.camera('/c/image').fx == 10
    only_damaged = bag_of(c__image=made[:1], c__camera_info=messages.info())
    with pytest.raises(ImageError, match=r'image at 1700000000\.0+: .*truncated'):
        only_damaged.camera('/c/image')
