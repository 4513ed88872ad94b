"""The room opens at once."""

import subprocess
import sys


def test_no_heavy_library_is_loaded() -> None:
    rooms = "decode, files, hashing, kinds, recipe, strip, thumbnails"
    code = f"import sys; from zoetrope.media import {rooms}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "PIL.Image" in loaded
    assert not {"torch", "diffusers", "transformers", "cv2", "django"} & set(loaded)
