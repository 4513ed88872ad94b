"""Ada's workspace and pictures for tests."""

import io
import json
from pathlib import Path
from typing import Any

from PIL import Image

from tests import tiny
from zoetrope.models.catalogue import Catalogue
from zoetrope.wheel.persona import make_persona
from zoetrope.wheel.workspace import Workspace, new_workspace


def picture(seed: int = 0, side: int = 64) -> bytes:
    """A PNG unlike those of other seeds."""
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((side, side)).rotate(seed * 7).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def folder(path: Path, count: int = 3, captions: bool = True) -> Path:
    """A folder of pictures, with captions beside them."""
    path.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        (path / f"ada-{index}.png").write_bytes(picture(index))
        if captions:
            (path / f"ada-{index}.txt").write_text(f"portrait of ada, scene {index}", encoding="utf-8")
    return path


def ada(path: Path) -> Workspace:
    """A new workspace."""
    consent = {"kind": "fictional"}
    return new_workspace(path, make_persona(name="ada", kind="drawn", trigger="ada", base="nano-flux", consent=consent))


def small_model(path: Path) -> None:
    """A model called dev, for pictures of sixteen pixels in one step."""
    folder = tiny.copied("dev", path / "model")
    notes = {"defaults": {"width": 16, "height": 16, "steps": 1, "max_tokens": 16}}
    (folder / "zoetrope.json").write_text(json.dumps(notes), encoding="utf-8")
    Catalogue().add("dev", "flux", folder)


def small_ada(path: Path, **about: Any) -> Workspace:
    """A new workspace on that model."""
    small_model(path)
    told = {"name": "ada", "kind": "drawn", "trigger": "ada", "base": "dev", "consent": {"kind": "fictional"}, **about}
    return new_workspace(path / "ada", make_persona(**told))
