"""Every kind of picture comes out as upright 8-bit sRGB, or is refused for a named reason."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.media import seeds
from zoetrope.media.containers import png
from zoetrope.media.decode import Limits, decode, open_picture
from zoetrope.media.errors import MediaError

SEEDS = seeds.every_kind()
STILL = sorted(name for name in SEEDS if not name.startswith("moving"))


def pixels(image: Image.Image) -> list[object]:
    return list(np.asarray(image).tolist())


@pytest.mark.parametrize("name", STILL)
def test_every_still_kind_is_read_as_rgb(name: str) -> None:
    picture = decode(SEEDS[name])
    assert picture.image.mode == "RGB"
    assert picture.image.info == {}
    assert (picture.alpha is not None) == (name in {"alpha.png", "gray-alpha.png", "palette.png", "alpha.webp"})


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_lossless_pixels_and_mask_come_out_as_drawn(format: str) -> None:
    drawn = seeds.scene("RGBA")
    options = {"lossless": True, "exact": True} if format == "WEBP" else {}
    picture = decode(seeds.encoded(drawn, format, **options))
    assert picture.alpha is not None
    assert pixels(picture.merged()) == pixels(drawn)
    assert pixels(picture.alpha) == pixels(drawn.getchannel("A"))


@pytest.mark.parametrize("name", ["moving.png", "moving.webp"])
def test_animations_are_refused(name: str) -> None:
    with pytest.raises(MediaError, match="is animated; save one of its frames"):
        decode(SEEDS[name])


@pytest.mark.parametrize("format", ["GIF", "BMP", "TIFF", "PPM"])
def test_other_kinds_are_refused(format: str) -> None:
    with pytest.raises(MediaError, match="not a PNG, JPEG or WebP"):
        decode(seeds.encoded(seeds.scene(), format))


@pytest.mark.parametrize("name", STILL)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_a_cut_off_file_is_refused(name: str, share: float) -> None:
    data = SEEDS[name].removesuffix(b"SecretVideo")
    with pytest.raises(MediaError, match=r"cut off|not a PNG, JPEG or WebP"):
        decode(data[: int(len(data) * share)])


def test_a_png_whose_pixels_end_early_is_refused() -> None:
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    data = png.write([(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 50)), (b"IEND", b"")])
    with pytest.raises(MediaError, match="cut off before its end"):
        decode(data)


def test_limits_on_bytes_and_pixels() -> None:
    data = SEEDS["plain.png"]
    assert decode(data, Limits(len(data), seeds.WIDTH * seeds.HEIGHT)).image.size == (seeds.WIDTH, seeds.HEIGHT)
    with pytest.raises(MediaError, match="bytes; at most"):
        decode(data, Limits(max_bytes=len(data) - 1))
    with pytest.raises(MediaError, match="24x16 pixels; at most 383"):
        decode(data, Limits(max_pixels=383))


@pytest.mark.parametrize("name", ["plain.png", "plain.jpg", "lossy.webp"])
def test_too_many_pixels_are_refused_before_any_is_decoded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoetrope.media.decode._load", lambda stored: pytest.fail("decoded"))
    with pytest.raises(MediaError, match="at most 10 pixels"):
        decode(SEEDS[name], Limits(max_pixels=10))


def test_pillow_s_own_ceiling_is_an_error_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 300)
    with pytest.raises(MediaError, match="at most 300 pixels"):
        decode(SEEDS["plain.png"])


def test_deep_gray_is_scaled_not_clipped() -> None:
    values = np.array([[0, 255, 256, 0x7FFF, 0x8000, 0xFFFF]], dtype=np.uint16)
    assert [row[0] for row in np.asarray(decode(seeds.deep_png(values)).image)[0]] == [0, 0, 1, 127, 128, 255]


def test_deep_colour_and_deep_gray_agree() -> None:
    values = np.linspace(0, 65535, 64).astype(np.uint16).reshape(1, 64)
    gray = decode(seeds.deep_png(values))
    colour = decode(seeds.deep_png(np.repeat(values[..., None], 3, axis=-1)))
    assert pixels(gray.image) == pixels(colour.image)


def test_the_transparent_colour_of_deep_pictures() -> None:
    gray = decode(seeds.deep_png(np.array([[1, 2, 512]], dtype=np.uint16), key=struct.pack(">H", 2)))
    assert gray.alpha is not None
    assert pixels(gray.alpha) == [[255, 0, 255]]
    colours = np.array([[[512, 768, 1024], [0, 0, 0]]], dtype=np.uint16)
    colour = decode(seeds.deep_png(colours, key=struct.pack(">3H", 512, 768, 1024)))
    assert colour.alpha is not None
    assert pixels(colour.alpha) == [[0, 255]]


@pytest.mark.parametrize(("depth", "row"), [(1, 0b01_00_00_00), (2, 0b00_01_10_11), (4, 0b0000_0001)])
def test_the_transparent_gray_of_shallow_pictures(depth: int, row: int) -> None:
    header = struct.pack(">IIBBBBB", 2, 1, depth, 0, 0, 0, 0)
    body = zlib.compress(bytes([0, row]))
    data = png.write([(b"IHDR", header), (b"tRNS", b"\0\1"), (b"IDAT", body), (b"IEND", b"")])
    alpha = decode(data).alpha
    assert alpha is not None
    assert pixels(alpha) == [[255, 0]]


def test_cmyk_becomes_the_same_colours_in_rgb() -> None:
    drawn = np.asarray(seeds.scene().resize((3, 2)).resize((96, 64)), dtype=int)
    cmyk = seeds.encoded(Image.fromarray(drawn.astype(np.uint8)).convert("CMYK"), "JPEG", quality=95)
    assert np.abs(np.asarray(decode(cmyk).image, dtype=int) - drawn).mean() < 3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_every_orientation_is_applied_as_pillow_does(format: str, orientation: int) -> None:
    words = seeds.exif(orientation)
    data = seeds.encoded(seeds.scene(), format, exif=words)
    plain = decode(seeds.encoded(seeds.scene(), format)).image
    plain.getexif()[0x0112] = orientation
    assert pixels(decode(data).image) == pixels(ImageOps.exif_transpose(plain))


@pytest.mark.parametrize(
    "words", [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\0\x05"]
)
def test_broken_exif_counts_as_upright(words: bytes) -> None:
    data = seeds.with_segment(SEEDS["plain.jpg"], 0xE1, words)
    assert pixels(decode(data).image) == pixels(decode(SEEDS["plain.jpg"]).image)


def test_the_mask_turns_with_the_picture() -> None:
    drawn = seeds.scene("RGBA")
    picture = decode(seeds.encoded(drawn, "PNG", exif=seeds.exif(6)))
    assert picture.alpha is not None
    assert pixels(picture.alpha) == pixels(drawn.getchannel("A").transpose(Image.Transpose.ROTATE_270))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_colours_under_another_profile_are_converted(format: str) -> None:
    red = Image.new("RGB", (16, 16), (255, 0, 0))
    picture = decode(seeds.encoded(red, format, icc_profile=seeds.swapped_profile()))
    red_now, green_now, blue_now = np.asarray(picture.image, dtype=int).mean(axis=(0, 1))
    assert red_now < 10
    assert green_now < 10
    assert blue_now > 245


@pytest.mark.parametrize("profile", [seeds.srgb_profile(), b"nonsense", seeds.srgb_profile()[:200]])
def test_srgb_and_broken_profiles_change_nothing(profile: bytes) -> None:
    picture = decode(seeds.encoded(seeds.scene(), "PNG", icc_profile=profile))
    assert pixels(picture.image) == pixels(seeds.scene())


def test_a_profile_for_other_channels_is_left_out() -> None:
    data = seeds.encoded(seeds.scene("CMYK"), "JPEG", icc_profile=seeds.swapped_profile())
    assert pixels(decode(data).image) == pixels(decode(SEEDS["cmyk.jpg"]).image)


def test_a_jpeg_s_profile_is_put_together_by_the_numbers_of_its_slices() -> None:
    profile, mark = seeds.swapped_profile(), b"ICC_PROFILE\0"
    whole = seeds.encoded(seeds.scene(), "JPEG", icc_profile=profile)
    # The later call puts its segment further ahead, so the slices lie in the order 2, 1.
    data = seeds.with_segment(SEEDS["plain.jpg"], 0xE2, mark + b"\1\2" + profile[:200])
    data = seeds.with_segment(data, 0xE2, mark + b"\2\2" + profile[200:])
    assert pixels(decode(data).image) == pixels(decode(whole).image)
    assert pixels(decode(data).image) != pixels(decode(SEEDS["plain.jpg"]).image)


def test_a_gray_picture_may_carry_a_colour_profile() -> None:
    data = seeds.encoded(seeds.scene("L"), "PNG", icc_profile=seeds.srgb_profile())
    assert pixels(decode(data).image) == pixels(seeds.scene("L").convert("RGB"))


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
def test_huge_profiles_are_refused(format: str) -> None:
    data = seeds.encoded(seeds.scene(), format, icc_profile=b"x" * (4 * 2**20 + 1))
    with pytest.raises(MediaError, match="colour profile"):
        decode(data)


def test_a_damaged_comment_does_not_spoil_a_png() -> None:
    data = seeds.told_png().replace(b"SecretAuthor", b"SECRETAUTHOR")
    assert pixels(decode(data).image) == pixels(seeds.scene())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (SEEDS["plain.png"].replace(b"IHDR", b"IHDR\1", 1), "checksum|cut off"),
        (seeds.with_chunk(SEEDS["plain.png"], b"CgBI", b""), "no standard knows"),
        (png.write([(b"IEND", b"")]), "header is missing"),
        (png.write([(b"IHDR", b"\0" * 12), (b"IEND", b"")]), "too short"),
        (png.write([(b"IHDR", b"\0" * 8 + b"\x08\2\0\0\0"), (b"IEND", b"")]), "impossible size"),
        (png.write([(b"IHDR", b"\0\0\0\1" * 2 + b"\x03\2\0\0\0"), (b"IEND", b"")]), "does not exist"),
        (png.MAGIC + SEEDS["plain.png"][8:33] + (b"\0\0\0\0tEXt" + b"\xf3\x84\xff\x68") * 70_000, "too many pieces"),
        (b"\xff\xd8" + b"\xff\xfe\0\2" * 70_000 + b"\xff\xd9", "too many pieces"),
        (b"\xff\xd8\xff\xd8\xff\xd9", "second picture"),
        (b"\xff\xd8\xff\xfe\0\1\xff\xd9", "impossible length"),
        (b"\xff\xd8\xff\xd9", "holds no picture"),
        (b"\xff\xd8\xff" + b"\xff\xda\0\2\0" * 101 + b"\xff\xd9", "too many scans"),
        (b"\xff\xd8\xff\xda\0\2\0\xff\xd9", "header is missing"),
        (b"\xff\xd8\xff\xc0\0\x0b\x08\0\0\0\1\1\1\x11\0\xff\xda\0\2\0\xff\xd9", "names no size"),
        (b"RIFF\4\0\0\0WEBP", "holds no picture"),
        (b"RIFF\x0c\0\0\0WEBPVP8X\0\0\0\0", "too short"),
        (SEEDS["alpha.webp"].replace(b"\x17\0\0\x0f\0\0", b"\x18\0\0\x0f\0\0", 1), "two different sizes"),
    ],
)
def test_the_sentence_names_what_is_wrong(data: bytes, reason: str) -> None:
    with pytest.raises(MediaError, match=reason) as caught:
        decode(data)
    assert "\n" not in str(caught.value)


def test_whatever_pillow_raises_comes_out_as_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    errors: list[Exception] = [OSError(), SyntaxError(), struct.error(), OverflowError(), zlib.error(), EOFError()]
    for error in [*errors, Image.DecompressionBombError(), RecursionError(), ValueError(), AssertionError()]:

        def fail(*args: object, error: Exception = error, **options: object) -> None:
            raise error

        monkeypatch.setattr(Image, "open", fail)
        with pytest.raises(MediaError, match="damaged"):
            decode(SEEDS["plain.png"])
    monkeypatch.setattr(Image, "open", lambda *args, **options: (_ for _ in ()).throw(MemoryError()))
    with pytest.raises(MediaError, match="not enough memory"):
        decode(SEEDS["plain.png"])


def test_open_picture_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "ada.jpg").write_bytes(SEEDS["plain.png"])
    assert pixels(open_picture(tmp_path / "ada.jpg").image) == pixels(seeds.scene())
    (tmp_path / "bad.jpg").write_bytes(b"GIF89a")
    with pytest.raises(MediaError, match=r"bad\.jpg: This is not"):
        open_picture(tmp_path / "bad.jpg")
    with pytest.raises(MediaError, match="larger than the 5 bytes"):
        open_picture(tmp_path / "bad.jpg", Limits(max_bytes=5))
