"""Colours as the rest of the house expects them: sRGB, with no profile attached."""

import io

import numpy as np
from PIL import Image, ImageCms

# Differences that rounding makes; a profile within them is sRGB under whatever name.
_ROUNDING = 2
_MODES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image | None:
    """The picture in sRGB, or None when the profile means sRGB already or cannot be used.

    Wide-gamut numbers (most phones write Display P3) shown without their profile look dull and shifted, and
    a model would learn them so; therefore the numbers are converted before the profile is dropped.
    """
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _MODES.get(source.profile.xcolor_space.strip())
        if mode is None or (image.mode, mode) not in {
            ("L", "L"),
            ("L", "RGB"),
            ("RGB", "RGB"),
            ("CMYK", "CMYK"),
        }:
            return None
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
        if mode != "CMYK" and _changes_nothing(transform, mode):
            return None
        return ImageCms.applyTransform(image.convert(mode), transform)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        # A broken profile says nothing about the colours; the pixels are as good as without one.
        return None


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether a spread of colours comes out as it went in: names of profiles are not to be trusted."""
    steps = np.linspace(0, 255, 9 if mode == "RGB" else 256).astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3) if mode == "RGB" else steps[None]
    probe = Image.fromarray(grid)
    before, after = (np.asarray(image, dtype=np.int16) for image in (probe.convert("RGB"), _apply(probe, transform)))
    return bool(np.abs(before - after).max() <= _ROUNDING)


def _apply(probe: Image.Image, transform: ImageCms.ImageCmsTransform) -> Image.Image:
    result = ImageCms.applyTransform(probe, transform)
    assert result is not None  # only an in-place transform returns None
    return result
