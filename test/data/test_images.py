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

"""Every encoding to the same RGB, checked on pixels made by hand."""

from array import array
from types import SimpleNamespace

import cv2
import numpy as np
from posenet_ros.data.images import decode, decode_smaller, encode_jpeg, jpeg_size, read_image
from posenet_ros.errors import ImageError
import pytest

RGB = np.array([[[255, 0, 10], [0, 128, 20]], [[1, 2, 3], [250, 251, 252]]], dtype=np.uint8)


def raw(pixels, encoding, *, padding=0, big_endian=False):
    """Return an Image message of pixels (H, W) or (H, W, C), rows padded with 0xAA."""
    order = '>' if big_endian else '<'
    rows = pixels.astype(pixels.dtype.newbyteorder(order)).reshape(len(pixels), -1)
    data = rows.copy().view(np.uint8)
    data = np.pad(data, ((0, 0), (0, padding)), constant_values=0xAA)
    return SimpleNamespace(
        height=pixels.shape[0],
        width=pixels.shape[1],
        encoding=encoding,
        step=data.shape[1],
        is_bigendian=int(big_endian),
        data=data.ravel(),
    )


def compressed(data, name='jpeg'):
    return SimpleNamespace(format=name, data=np.frombuffer(bytes(data), dtype=np.uint8))


def photo(height=48, width=64):
    """Return smooth colours, which JPEG keeps nearly."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 3, y * 4, 255 - x - y], axis=2).astype(np.uint8)


@pytest.mark.parametrize('padding', [0, 1, 7])
@pytest.mark.parametrize(
    ('encoding', 'pixels'),
    [
        ('rgb8', RGB),
        ('bgr8', RGB[..., ::-1]),
        ('8UC3', RGB[..., ::-1]),
        ('rgba8', np.dstack([RGB, np.full((2, 2), 9, np.uint8)])),
        ('bgra8', np.dstack([RGB[..., ::-1], np.full((2, 2), 9, np.uint8)])),
        ('8UC4', np.dstack([RGB[..., ::-1], np.full((2, 2), 9, np.uint8)])),
    ],
)
def test_colours_come_out_as_rgb_whatever_the_order_and_padding(encoding, pixels, padding):
    decoded = decode(raw(pixels, encoding, padding=padding))
    assert decoded.dtype == np.uint8
    assert decoded.flags.c_contiguous
    np.testing.assert_array_equal(decoded, RGB)


def test_rgb8_of_a_message_is_not_copied_unless_others_may_not_write_to_it():
    message = raw(RGB, 'rgb8')
    # What rclpy has.
    message.data = array('B', message.data.tobytes())
    decoded = decode(message)
    message.data[0] = 77
    assert decoded[0, 0, 0] == 77
    message.data = message.data.tobytes()
    copied = decode(message)
    copied[0, 0, 0] = 78
    assert decode(message)[0, 0, 0] == 77


@pytest.mark.parametrize('big_endian', [False, True])
@pytest.mark.parametrize('encoding', ['rgb16', 'bgr16', 'rgba16', 'bgra16'])
def test_16_bit_colours_respect_the_byte_order(encoding, big_endian):
    wide = RGB.astype(np.uint16) * 257
    wide = wide[..., ::-1] if encoding.startswith('bgr') else wide
    if 'a' in encoding:
        wide = np.dstack([wide, np.full((2, 2), 999, np.uint16)])
    message = raw(wide, encoding, padding=3, big_endian=big_endian)
    np.testing.assert_array_equal(decode(message), RGB)


@pytest.mark.parametrize('encoding', ['mono8', '8UC1'])
def test_grey_is_repeated_in_three_channels(encoding):
    grey = np.array([[0, 100], [200, 255]], dtype=np.uint8)
    np.testing.assert_array_equal(decode(raw(grey, encoding, padding=5)), np.dstack([grey] * 3))


@pytest.mark.parametrize('encoding', ['mono16', '16UC1'])
@pytest.mark.parametrize('big_endian', [False, True])
def test_16_bits_are_scaled_by_255_over_65535_and_rounded(encoding, big_endian):
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    expected = np.round(values / 257).astype(np.uint8)
    decoded = decode(raw(values, encoding, big_endian=big_endian))
    np.testing.assert_array_equal(decoded, np.dstack([expected] * 3))


PATTERNS = {
    'rggb': ((0, 1), (1, 2)),
    'bggr': ((2, 1), (1, 0)),
    'gbrg': ((1, 2), (0, 1)),
    'grbg': ((1, 0), (2, 1)),
}


@pytest.mark.parametrize('pattern', PATTERNS)
@pytest.mark.parametrize('depth', [8, 16])
def test_bayer_patterns_are_named_as_ros_names_them(pattern, depth):
    colour = np.array([200, 90, 30])
    tile = colour[np.array(PATTERNS[pattern])]
    mosaic = np.tile(tile, (5, 6)).astype(np.uint8)
    if depth == 16:
        mosaic = mosaic.astype(np.uint16) * 257
    decoded = decode(raw(mosaic, f'bayer_{pattern}{depth}', padding=4))
    # A mosaic of one colour is that colour everywhere, the mirrored border included.
    np.testing.assert_array_equal(decoded, np.broadcast_to(colour, (10, 12, 3)))


@pytest.mark.parametrize(
    ('encoding', 'luma_first'),
    [('yuv422', False), ('uyvy', False), ('yuv422_yuy2', True), ('yuyv', True)],
)
def test_yuv422_shares_chroma_between_two_pixels(encoding, luma_first):
    # Studio range: 81, 90, 240 is red and 145, 54, 34 green (ITU-R BT.601).
    red, green = ([90, 81, 240, 81], [54, 145, 34, 145])
    row = np.array(red + green, dtype=np.uint8).reshape(-1, 2)
    row = row[:, ::-1] if luma_first else row
    decoded = decode(raw(np.stack([row, row]), encoding, padding=2)).astype(int)
    assert decoded.shape == (2, 4, 3)
    np.testing.assert_allclose(decoded[:, :2], np.broadcast_to([255, 0, 0], (2, 2, 3)), atol=2)
    np.testing.assert_allclose(decoded[:, 2:], np.broadcast_to([0, 255, 0], (2, 2, 3)), atol=2)


@pytest.mark.parametrize(('encoding', 'chroma'), [('nv12', (90, 240)), ('nv21', (240, 90))])
def test_two_plane_yuv_has_half_the_chroma_rows(encoding, chroma):
    planes = np.full((6, 4), 81, dtype=np.uint8)
    planes[4:, 0::2], planes[4:, 1::2] = chroma
    message = raw(planes, encoding, padding=3)
    message.height = 4
    decoded = decode(message).astype(int)
    np.testing.assert_allclose(decoded, np.broadcast_to([255, 0, 0], (4, 4, 3)), atol=2)


def test_data_as_rclpy_delivers_it():
    message = raw(RGB, 'rgb8')
    message.data = array('B', message.data.tobytes())
    np.testing.assert_array_equal(decode(message), RGB)
    picture = SimpleNamespace(
        format='png', data=array('B', cv2.imencode('.png', RGB)[1].tobytes())
    )
    np.testing.assert_array_equal(decode(picture), RGB[..., ::-1])


@pytest.mark.parametrize('encoding', ['32FC1', '64FC1', '16SC1', 'rgb32', '', 'jpeg'])
def test_encodings_without_colours_are_refused_by_name(encoding):
    message = raw(RGB, 'rgb8')
    message.encoding = encoding
    with pytest.raises(ImageError, match=f'encoding {encoding!r}'):
        decode(message)


@pytest.mark.parametrize(
    ('change', 'complaint'),
    [
        ({'data': np.zeros(11, np.uint8)}, '2 rows of 6 bytes are 12 bytes, got 11'),
        ({'step': 5}, '2 pixels in rgb8 takes 6 bytes, but the step is 5'),
        ({'height': 0}, '2x0 pixels has no content'),
        ({'width': 0}, '0x2 pixels has no content'),
        ({'width': 3, 'encoding': 'yuv422'}, '3x2 pixels cannot be yuv422'),
        ({'height': 1, 'encoding': 'nv12'}, 'even size, not 2x1'),
        ({'encoding': 'mono16', 'step': 3}, 'takes 4 bytes, but the step is 3'),
    ],
)
def test_sizes_that_cannot_be_are_refused_with_numbers(change, complaint):
    message = raw(RGB, 'rgb8')
    vars(message).update(change)
    with pytest.raises(ImageError, match=complaint):
        decode(message)


@pytest.mark.parametrize(
    'name',
    [
        'png',
        'rgb8; png compressed bgr8',
        'bgr8; png compressed ',
        'bayer_rggb8; png compressed bgr8',
        '',
    ],
)
def test_a_png_is_decoded_exactly_whatever_its_format_field_says(name):
    image = photo()
    data = cv2.imencode('.png', image[..., ::-1])[1]
    np.testing.assert_array_equal(decode(compressed(data, name)), image)


@pytest.mark.parametrize('name', ['jpeg', 'jpg', 'rgb8; jpeg compressed bgr8'])
def test_a_jpeg_keeps_its_colours_in_order(name):
    image = photo()
    data = cv2.imencode('.jpg', image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 100])[1]
    assert np.abs(decode(compressed(data, name)).astype(int) - image).mean() < 2


def test_a_grey_jpeg_is_rgb_too():
    data = cv2.imencode('.jpg', np.full((8, 8), 77, np.uint8))[1]
    np.testing.assert_array_equal(decode(compressed(data)), np.full((8, 8, 3), 77))


@pytest.mark.parametrize('pattern', PATTERNS)
def test_a_bayer_mosaic_compressed_as_it_is_gets_its_colours(pattern):
    colour = np.array([200, 90, 30])
    mosaic = np.tile(colour[np.array(PATTERNS[pattern])], (5, 6)).astype(np.uint8)
    data = cv2.imencode('.png', mosaic)[1]
    decoded = decode(compressed(data, f'bayer_{pattern}8; png compressed '))
    np.testing.assert_array_equal(decoded, np.broadcast_to(colour, (10, 12, 3)))


def exif_turned(jpeg):
    """Insert an EXIF block that says the picture is to be turned by 90 degrees."""
    tiff = b'II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00'
    body = b'Exif\x00\x00' + tiff + b'\x00\x00\x00\x00'
    return jpeg[:2] + b'\xff\xe1' + (len(body) + 2).to_bytes(2, 'big') + body + jpeg[2:]


def test_an_orientation_in_the_file_is_ignored_everywhere(tmp_path):
    jpeg = cv2.imencode('.jpg', photo())[1].tobytes()
    turned = exif_turned(jpeg)
    respecting = cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR)
    assert respecting.shape == (64, 48, 3), 'the test itself: OpenCV must see the orientation'
    path = tmp_path / 'turned.jpg'
    path.write_bytes(turned)
    straight = decode(compressed(jpeg))
    assert straight.shape == (48, 64, 3)
    np.testing.assert_array_equal(decode(compressed(turned)), straight)
    np.testing.assert_array_equal(read_image(path), straight)


@pytest.mark.parametrize('extension', ['.jpg', '.png'])
@pytest.mark.parametrize('share', [0, 0.01, 0.5, 0.98])
def test_a_truncated_payload_is_refused(extension, share, tmp_path):
    data = cv2.imencode(extension, photo())[1].tobytes()
    cut = data[: int(len(data) * share)]
    with pytest.raises(ImageError, match='truncated or corrupt'):
        decode(compressed(cut, extension[1:]))
    path = tmp_path / f'cut{extension}'
    path.write_bytes(cut)
    with pytest.raises(ImageError, match=rf'cut\{extension}: .*truncated or corrupt'):
        read_image(path)


def test_noise_and_depth_payloads_are_refused():
    noise = np.random.default_rng(0).integers(0, 256, 500, dtype=np.uint8)
    with pytest.raises(ImageError, match='500 bytes'):
        decode(compressed(noise))
    with pytest.raises(ImageError, match='depth image'):
        decode(compressed(noise, '16UC1; compressedDepth png'))


def test_a_written_jpeg_reads_back_nearly_the_same_and_whole(tmp_path):
    path = tmp_path / 'frame.jpg'
    encode_jpeg(path, photo(), quality=100)
    assert np.abs(read_image(path).astype(int) - photo()).mean() < 2
    assert [file.name for file in tmp_path.iterdir()] == ['frame.jpg']
    encode_jpeg(path, photo(), quality=10)
    assert np.abs(read_image(path).astype(int) - photo()).mean() > 2


def test_an_image_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(ImageError, match=r'gone\.jpg: No such file'):
        read_image(tmp_path / 'gone.jpg')


def jpeg(pixels, name='jpeg'):
    return compressed(cv2.imencode('.jpg', pixels[..., ::-1])[1].tobytes(), name)


@pytest.mark.parametrize(
    ('least', 'shape'),
    [((32, 24), (24, 32)), ((16, 12), (12, 16)), ((8, 6), (6, 8)), ((1, 1), (6, 8))],
)
def test_a_jpeg_is_decoded_at_the_smallest_share_of_its_size_that_does(least, shape):
    whole = photo(48, 64)
    asked = []
    small = decode_smaller(jpeg(whole), lambda *size: asked.append(size) or least)
    assert asked == [(64, 48)]
    assert small.shape == (*shape, 3)
    expected = cv2.resize(whole, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(small.astype(int), expected, atol=6)


@pytest.mark.parametrize('least', [(33, 24), (32, 25), (64, 48)])
def test_a_jpeg_that_would_be_too_small_at_half_its_size_is_left(least):
    assert decode_smaller(jpeg(photo(48, 64)), lambda *_: least) is None


def test_only_jpegs_of_colours_are_decoded_smaller():
    png = compressed(cv2.imencode('.png', photo())[1].tobytes(), 'png')
    mosaic = jpeg(photo(), 'bayer_rggb8; jpeg compressed')
    for message in (raw(photo(), 'rgb8'), png, mosaic, compressed(b'', 'jpeg')):
        assert decode_smaller(message, lambda *_: (1, 1)) is None


def test_a_truncated_jpeg_is_refused_at_any_size():
    message = jpeg(photo())
    message.data = message.data[:-200]
    with pytest.raises(ImageError, match='truncated'):
        decode_smaller(message, lambda *_: (1, 1))


@pytest.mark.parametrize('end', [0, 2, 3, 20, 160])
def test_a_header_that_ends_early_tells_no_size(end):
    data = jpeg(photo()).data.tobytes()
    assert jpeg_size(data) == (64, 48)
    assert jpeg_size(data[:end]) is None
