"""Nothing is told any more, and the picture looks as before."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.media import seeds
from zoetrope.media.containers import png
from zoetrope.media.decode import Limits, decode
from zoetrope.media.errors import MediaError
from zoetrope.media.strip import strip_metadata

SEEDS = seeds.every_kind()
STILL = sorted(name for name in SEEDS if not name.startswith("moving"))
SILENT = {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "adobe", "adobe_transform", "progressive"}
SILENT |= {"progression", "transparency", "loop", "background", "timestamp", "duration", "interlace", "gamma"}


def told(data: bytes) -> set[str]:
    """What Pillow still finds in a file besides its pixels, and any secret in clear or compressed."""
    image = Image.open(io.BytesIO(data))
    image.load()
    secrets = {"bytes"} if b"Secret" in data else set()
    return {str(key) for key in image.info} - SILENT | secrets | set(map(str, image.getexif()))


def pixels(data: bytes) -> list[object]:
    return list(np.asarray(decode(data).merged()).tolist())


@pytest.mark.parametrize("name", STILL)
def test_nothing_is_told_and_a_second_time_changes_nothing(name: str) -> None:
    stripped = strip_metadata(SEEDS[name])
    assert told(stripped) == set()
    assert pixels(strip_metadata(stripped)) == pixels(stripped)


@pytest.mark.parametrize("name", ["told.png", "recipe.png", "told.jpg", "told.webp"])
def test_the_seeds_do_tell_something(name: str) -> None:
    assert told(SEEDS[name]) != set()


@pytest.mark.parametrize("name", [name for name in STILL if not name.startswith("told")])
def test_pixels_stay_identical(name: str) -> None:
    assert pixels(strip_metadata(SEEDS[name])) == pixels(SEEDS[name])


SRGB: dict[str, Any] = {"exif": seeds.exif(), "icc_profile": seeds.srgb_profile()}


@pytest.mark.parametrize("data", [seeds.told_jpeg(), seeds.told_jpeg(**SRGB), seeds.told_webp(**SRGB)])
def test_upright_lossy_pictures_are_not_encoded_again(data: bytes) -> None:
    stripped = strip_metadata(data)
    assert pixels(stripped) == pixels(data)
    start = b"\xff\xda" if data.startswith(b"\xff\xd8") else b"VP8 "
    compressed = stripped[stripped.index(start) :]
    assert compressed in data


def test_sixteen_bits_stay_sixteen_bits() -> None:
    values = np.arange(0, 65536, 257, dtype=np.uint16).reshape(16, 16)
    stripped = strip_metadata(seeds.deep_png(values))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(stripped))), values)


def test_interlaced_pictures_keep_their_pixels() -> None:
    # Pillow writes no interlaced files. Of 5x3 pixels the third pass holds none, the others are these rows.
    header = struct.pack(">IIBBBBB", 5, 3, 8, 0, 0, 0, 1)
    rows = [b"\x01", b"\x02", b"\x03", b"\x04\x05\x06", b"\x07\x08", b"\x09\x0a", b"\x0b\x0c\x0d\x0e\x0f"]
    body = zlib.compress(b"".join(b"\0" + row for row in rows) + b"Secret")
    data = png.write([(b"IHDR", header), (b"IDAT", body), (b"IEND", b"")])
    stripped = strip_metadata(data)
    assert np.asarray(Image.open(io.BytesIO(stripped))).tolist() == [
        [1, 7, 3, 8, 2],
        [11, 12, 13, 14, 15],
        [4, 9, 5, 10, 6],
    ]


def test_nothing_hides_behind_a_png_s_pixels() -> None:
    header = struct.pack(">IIBBBBB", 2, 1, 8, 0, 0, 0, 0)
    body = zlib.compress(b"\0\1\2" + b"cropped away" * 9, 0) + b"Secret"
    data = png.write([(b"IHDR", header), (b"IDAT", body), (b"IEND", b"")]) + b"Secret"
    stripped = strip_metadata(data)
    assert pixels(stripped) == [[[1, 1, 1], [2, 2, 2]]]
    (packed,) = [bytes(part) for kind, part in png.chunks(stripped) if kind == b"IDAT"]
    assert zlib.decompress(packed) == b"\0\1\2"
    assert b"Secret" not in stripped


def test_a_jpeg_s_preview_is_dropped() -> None:
    preview = b"JFIF\0\1\2\0\0\1\0\1\1\1Sec"
    data = SEEDS["plain.jpg"]
    length = int.from_bytes(data[4:6])
    stripped = strip_metadata(data[:4] + struct.pack(">H", len(preview) + 2) + preview + data[4 + length :])
    assert stripped[4:20] == struct.pack(">H", 16) + preview[:12] + b"\0\0"
    assert pixels(stripped) == pixels(data)


def test_the_adobe_mark_stays_as_colours_depend_on_it() -> None:
    assert b"Adobe" in strip_metadata(SEEDS["cmyk.jpg"])


@pytest.mark.parametrize("name", ["told.png", "told.jpg", "told.webp"])
def test_orientation_and_profile_are_worked_into_the_pixels(name: str) -> None:
    before, after = decode(SEEDS[name]).image, decode(strip_metadata(SEEDS[name])).image
    assert before.size == after.size == (seeds.HEIGHT, seeds.WIDTH)
    difference = np.abs(np.asarray(before, dtype=int) - np.asarray(after, dtype=int))
    assert difference.max() <= (0 if name == "told.png" else 40)
    assert difference.mean() < 6


def test_lossless_webp_stays_lossless_when_turned() -> None:
    data = seeds.encoded(seeds.scene("RGBA"), "WEBP", lossless=True, exact=True, exif=seeds.exif(3))
    assert pixels(strip_metadata(data)) == pixels(data)


def test_the_kind_of_file_stays() -> None:
    kinds = {name: Image.open(io.BytesIO(strip_metadata(SEEDS[name]))).format for name in STILL}
    expected = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}
    assert kinds == {name: expected[name.rpartition(".")[2]] for name in STILL}


@pytest.mark.parametrize("name", sorted(SEEDS))
def test_mangled_and_moving_pictures_are_refused(name: str) -> None:
    data = SEEDS[name].removesuffix(b"SecretVideo")
    with pytest.raises(MediaError):
        strip_metadata(data[: len(data) // 2])
    if name not in STILL:
        with pytest.raises(MediaError, match="animated"):
            strip_metadata(data)


def test_limits_hold_here_too() -> None:
    with pytest.raises(MediaError, match="at most 9 pixels"):
        strip_metadata(SEEDS["plain.png"], Limits(max_pixels=9))
