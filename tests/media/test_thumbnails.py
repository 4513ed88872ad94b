"""Thumbnails are small, true to the picture and made once."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.media import seeds
from zoetrope.media.decode import Picture, decode
from zoetrope.media.errors import MediaError
from zoetrope.media.hashing import hash_bytes
from zoetrope.media.thumbnails import cached_thumbnail, thumbnail


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_a_thumbnail_fits_its_square_and_keeps_the_shape() -> None:
    picture = Picture(seeds.scene().resize((300, 200)))
    small = opened(thumbnail(picture, 30))
    assert (small.format, small.size) == ("WEBP", (30, 20))
    assert picture.image.size == (300, 200)
    wanted = np.asarray(picture.image.resize((30, 20)), dtype=int)
    assert np.abs(np.asarray(small.convert("RGB"), dtype=int) - wanted).mean() < 12


def test_a_small_picture_is_not_enlarged() -> None:
    assert opened(thumbnail(Picture(seeds.scene()), 512)).size == (seeds.WIDTH, seeds.HEIGHT)


def test_a_thread_of_pixels_keeps_one_pixel() -> None:
    assert opened(thumbnail(Picture(Image.new("RGB", (2000, 1))), 10)).size == (10, 1)


def test_transparency_is_kept() -> None:
    small = opened(thumbnail(decode(seeds.encoded(seeds.scene("RGBA"), "PNG")), 8))
    assert small.mode == "RGBA"
    assert np.asarray(small.getchannel("A")).min() < 255


@pytest.mark.parametrize("side", [0, -1, 4097])
def test_impossible_sides_are_refused(side: int) -> None:
    with pytest.raises(MediaError, match="from 1 to 4096"):
        thumbnail(Picture(seeds.scene()), side)


def test_the_cache_goes_by_content_and_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, mode in [("a.png", "RGB"), ("b.png", "RGB"), ("c.png", "L")]:
        (tmp_path / name).write_bytes(seeds.encoded(seeds.scene(mode), "PNG"))
    cache = tmp_path / "cache"
    first = cached_thumbnail(tmp_path / "a.png", cache, 8)
    assert opened(first.read_bytes()).size == (8, 5)
    assert cached_thumbnail(tmp_path / "c.png", cache, 8) != first
    assert cached_thumbnail(tmp_path / "a.png", cache, 9) != first
    monkeypatch.setattr("zoetrope.media.thumbnails.decode", lambda *args: pytest.fail("made twice"))
    assert cached_thumbnail(tmp_path / "b.png", cache, 8) == first


def test_one_that_is_there_is_found_by_its_digest_alone(tmp_path: Path) -> None:
    data = seeds.encoded(seeds.scene("RGB"), "PNG")
    (tmp_path / "a.png").write_bytes(data)
    made = cached_thumbnail(tmp_path / "a.png", tmp_path / "cache", 8, digest=hash_bytes(data))
    (tmp_path / "a.png").unlink()
    assert cached_thumbnail(tmp_path / "a.png", tmp_path / "cache", 8, digest=hash_bytes(data)) == made


def test_a_bad_source_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"nonsense")
    with pytest.raises(MediaError, match=r"No thumbnail of .*bad\.png: This is not"):
        cached_thumbnail(tmp_path / "bad.png", tmp_path / "cache", 8)
    assert not (tmp_path / "cache").exists()
