"""A recipe: all that is needed to make a picture or clip again, and nothing else."""

import io
import json
import os
import textwrap
from pathlib import Path
from typing import Any, NoReturn, Self

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from zoetrope.media.containers import png
from zoetrope.media.decode import Limits
from zoetrope.media.errors import MediaError
from zoetrope.media.files import read_limited, write_atomic, write_text_atomic
from zoetrope.media.hashing import hash_bytes
from zoetrope.media.kinds import MediaKind
from zoetrope.media.parameters import parameters

SCHEMA = 1
PNG_KEY = "zoetrope"


class _Part(BaseModel):
    """Immutable, no unknown fields, no NaN: a recipe either says exactly what it means or is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ModelRef(_Part):
    """A model by name, family and the hash of its files."""

    name: str
    family: str
    sha256: str


class LoraUse(_Part):
    """A LoRA and how strongly it was applied."""

    name: str
    sha256: str
    weight: float = 1.0


class Control(_Part):
    """A control input (pose, depth, reference) by the hash of its file."""

    kind: str
    sha256: str
    strength: float = 1.0


class Recipe(_Part):
    """The inputs that made a picture or clip."""

    schema_version: int = Field(default=SCHEMA, ge=1, le=SCHEMA)
    media: MediaKind = MediaKind.image
    model: ModelRef
    prompt: str
    negative_prompt: str = ""
    seed: int = Field(ge=0, lt=2**63)
    steps: int = Field(ge=1)
    guidance: float = Field(ge=0)
    # Classifier-free guidance by a negative prompt; 1 is off.
    true_guidance: float = 1.0
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    max_tokens: int | None = Field(default=None, ge=1)
    loras: tuple[LoraUse, ...] = ()
    controls: tuple[Control, ...] = ()
    batch_size: int = Field(default=1, ge=1)
    batch_index: int = Field(default=0, ge=0)
    engine: str = "local"
    graph: dict[str, Any] | None = None

    @field_validator("graph")
    @classmethod
    def _plain_graph(cls, graph: dict[str, Any] | None) -> dict[str, Any] | None:
        """A copy that is plain JSON: the caller's later changes, objects and NaN stay outside."""
        try:
            copy: dict[str, Any] | None = json.loads(
                json.dumps(graph, allow_nan=False, ensure_ascii=False).encode("utf-8")
            )
        except (TypeError, RecursionError) as error:
            raise ValueError("the graph cannot be said in JSON") from error
        return copy

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.batch_index >= self.batch_size:
            raise ValueError("batch_index must be below batch_size")
        try:
            self.to_json().encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError("the text is not valid Unicode") from error
        return self

    def to_json(self) -> str:
        """The one canonical spelling: sorted keys, no spaces."""
        fields = self.model_dump(mode="json")
        return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

    @property
    def sha256(self) -> str:
        """The hash of the canonical spelling."""
        return hash_bytes(self.to_json().encode("utf-8"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a recipe back, in any spelling."""
        fields = _load_object(text)
        version = fields.get("schema_version", SCHEMA)
        if isinstance(version, int) and version > SCHEMA:
            raise MediaError(
                f"This recipe was written by a newer Zoetrope (schema {version}, known: {SCHEMA}); "
                "update Zoetrope to read it."
            )
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            raise MediaError(_first_fault(error)) from error


def _load_object(text: str) -> dict[str, Any]:
    try:
        fields = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise MediaError("This recipe is not valid JSON.") from error
    if not isinstance(fields, dict):
        raise MediaError("This recipe is not a JSON object.")
    return fields


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in fault["loc"]) or "the whole"
    # A hostile file may use a megabyte of line breaks as a field name.
    name = textwrap.shorten(where.encode("utf-8", "replace").decode(), 60, placeholder="…")
    return f"This recipe cannot be used: {name}: {fault['msg']}."


def png_bytes(image: Image.Image, recipe: Recipe) -> bytes:
    """A PNG with its recipe inside; the same pixels and recipe give the same bytes."""
    words = PngInfo()
    words.add_itxt(PNG_KEY, recipe.to_json())
    words.add_text("parameters", parameters(recipe))
    plain = _plain(image)
    buffer = io.BytesIO()
    plain.save(buffer, "PNG", pnginfo=words, compress_level=6)
    return buffer.getvalue()


def _plain(image: Image.Image) -> Image.Image:
    """A copy without what Pillow would otherwise carry over: profile, gamma, EXIF of an earlier file."""
    if image.mode in {"L", "RGB", "RGBA"} and "transparency" not in image.info:
        plain = image.copy()
    else:
        plain = image.convert("RGBA" if image.has_transparency_data else "RGB")
    plain.info = {}
    return plain


def save_picture(image: Image.Image, recipe: Recipe, path: Path) -> str:
    """Write `path` (a .png with the recipe inside) and the same-stem .json; the hash of the PNG's bytes."""
    if path.suffix.lower() != ".png":
        raise MediaError(f"{path} was not written: a made picture is saved as .png.")
    data = png_bytes(image, recipe)
    # The picture first: it carries its recipe, so a crash in between loses nothing.
    write_atomic(path, data)
    write_text_atomic(path.with_suffix(".json"), recipe.to_json())
    return hash_bytes(data)


def read_recipe(path: Path) -> Recipe:
    """The recipe inside a PNG, or else in the .json beside the picture or clip."""
    sidecar = path.with_suffix(".json")
    text = _embedded(path)
    if text is None and os.path.isfile(sidecar):
        text = _sidecar_text(sidecar)
    if text is None:
        raise MediaError(f"No recipe: neither {path.name} holds one nor is there a {sidecar.name} beside it.")
    try:
        return Recipe.from_json(text)
    except MediaError as error:
        raise MediaError(f"{path}: {error}") from error


def _embedded(path: Path) -> str | None:
    """The recipe's text in a PNG; a missing, damaged or stripped picture holds none."""
    try:
        data = read_limited(path, Limits().max_bytes)
        return png.text(data, PNG_KEY) if data.startswith(png.MAGIC) else None
    except MediaError:
        return None


def _sidecar_text(path: Path) -> str:
    try:
        return read_limited(path, png.MAX_TEXT_BYTES).decode("utf-8")
    except UnicodeDecodeError as error:
        raise MediaError(f"{path} is not a text file, so it holds no recipe.") from error
