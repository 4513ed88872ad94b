"""Small pictures of every kind that people bring, made on the spot."""

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

from zoetrope.media.containers import png
from zoetrope.media.recipe import ModelRef, Recipe, png_bytes

WIDTH, HEIGHT = 24, 16


def scene(mode: str = "RGB") -> Image.Image:
    """A picture without any symmetry, so that a turn or a swapped channel shows."""
    rng = np.random.default_rng(7)
    across, down = np.meshgrid(np.linspace(0, 255, WIDTH), np.linspace(0, 255, HEIGHT))
    pixels = np.stack([across, down, 255 - across], axis=-1) * 0.8 + rng.uniform(0, 50, (HEIGHT, WIDTH, 3))
    image = Image.fromarray(pixels.astype(np.uint8))
    if mode in {"RGBA", "LA"}:
        image.putalpha(Image.fromarray(down.astype(np.uint8)))
    return image.convert(mode)


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    """The bytes of a picture file."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def deep_png(values: np.ndarray[Any, np.dtype[np.uint16]], key: bytes = b"") -> bytes:
    """A 16-bit PNG, gray from a 2-d array or colour from a 3-d one; `key` is the transparent colour."""
    height, width = values.shape[:2]
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[1 if values.ndim == 2 else values.shape[2]]
    rows = values.astype(">u2").reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    transparent = [(b"tRNS", key)] if key else []
    return png.write([(b"IHDR", header), *transparent, (b"IDAT", pixels), (b"IEND", b"")])


def with_chunk(data: bytes, kind: bytes, body: bytes) -> bytes:
    """A PNG with one more chunk right behind its header."""
    (header, *rest) = ((name, bytes(part)) for name, part in png.chunks(data))
    return png.write([header, (kind, body), *rest])


def with_segment(data: bytes, marker: int, body: bytes) -> bytes:
    """A JPEG with one more segment at its beginning."""
    return data[:2] + struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body + data[2:]


def srgb_profile() -> bytes:
    """sRGB, as most files carry it."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_profile() -> bytes:
    """A profile under which red is blue and blue is red: sRGB with two entries of its table exchanged."""
    return srgb_profile().replace(b"rXYZ", b"????", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"????", b"bXYZ", 1)


def exif(orientation: int = 1) -> bytes:
    """EXIF with an orientation, a camera's name and a place."""
    words = Image.Exif()
    words[0x0112] = orientation
    words[0x010F] = "SecretCamera"
    words.get_ifd(0x8825)[29] = "SecretPlace"
    return words.tobytes()


def told_png(**options: Any) -> bytes:
    """A PNG that says a lot about itself."""
    words = PngImagePlugin.PngInfo()
    words.add_text("Author", "SecretAuthor")
    words.add_text("Software", "SecretSoftware", zip=True)
    words.add_itxt("XML:com.adobe.xmp", "<x>SecretXmp</x>")
    return encoded(scene(), "PNG", pnginfo=words, **options)


def told_jpeg(image: Image.Image | None = None, **options: Any) -> bytes:
    """A JPEG that says a lot about itself, with a video hidden behind its end."""
    data = encoded(image or scene(), "JPEG", comment="SecretComment", xmp=b"<x>SecretXmp</x>", **options)
    return with_segment(data, 0xED, b"Photoshop 3.0\x008BIM SecretIptc") + b"SecretVideo"


def told_webp(**options: Any) -> bytes:
    """A WebP that says a lot about itself."""
    return encoded(scene(), "WEBP", xmp=b"<x>SecretXmp</x>", **options)


def recipe(**changes: Any) -> Recipe:
    """A recipe by which Ada could have been made."""
    fields: dict[str, Any] = {
        "model": ModelRef(name="nano", family="flux", sha256="ab" * 32),
        "prompt": "Ada, as a fox 🦊",
        "seed": 7,
        "steps": 4,
        "guidance": 3.5,
        "width": WIDTH,
        "height": HEIGHT,
    }
    return Recipe(**(fields | changes))


def _frames() -> dict[str, Any]:
    return {"save_all": True, "append_images": [scene().rotate(180)], "duration": 50}


def every_kind() -> dict[str, bytes]:
    """One file of each kind, by name."""
    ramp = np.linspace(0, 65535, WIDTH * HEIGHT).astype(np.uint16)
    profile, turned = swapped_profile(), exif(6)
    return {
        "plain.png": encoded(scene(), "PNG"),
        "alpha.png": encoded(scene("RGBA"), "PNG"),
        "gray-alpha.png": encoded(scene("LA"), "PNG"),
        "palette.png": encoded(scene("P"), "PNG", transparency=3),
        "bits.png": encoded(scene("1"), "PNG"),
        "deep-gray.png": deep_png(ramp.reshape(HEIGHT, WIDTH)),
        "deep-colour.png": deep_png(ramp.reshape(HEIGHT, WIDTH // 3, 3)),
        "told.png": told_png(icc_profile=profile, exif=turned),
        "recipe.png": png_bytes(scene(), recipe()),
        "moving.png": encoded(scene(), "PNG", **_frames()),
        "plain.jpg": encoded(scene(), "JPEG"),
        "gray.jpg": encoded(scene("L"), "JPEG"),
        "progressive.jpg": encoded(scene(), "JPEG", progressive=True),
        "cmyk.jpg": encoded(scene("CMYK"), "JPEG"),
        "told.jpg": told_jpeg(icc_profile=profile, exif=turned),
        "lossy.webp": encoded(scene(), "WEBP"),
        "lossless.webp": encoded(scene(), "WEBP", lossless=True),
        "alpha.webp": encoded(scene("RGBA"), "WEBP"),
        "told.webp": told_webp(icc_profile=profile, exif=turned),
        "moving.webp": encoded(scene(), "WEBP", **_frames()),
    }
