"""LoRA files: recognised by content, judged by their header, found again by their hash."""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoetrope.errors import UserError
from zoetrope.home import home
from zoetrope.media.files import write_json_atomic
from zoetrope.media.hashing import hash_file
from zoetrope.models.family import Family, LayerShapes
from zoetrope.models.headers import Header, read_header

if TYPE_CHECKING:
    import torch

# Each trainer's words for the two halves of a layer: (numbers in → rank, rank → numbers out).
_HALVES = {
    "lora_A.weight": "down",
    "lora_B.weight": "up",
    "lora_down.weight": "down",
    "lora_up.weight": "up",
    "lora.down.weight": "down",
    "lora.up.weight": "up",
    "alpha": "alpha",
}
_LAYER = re.compile("^(?P<layer>.+)[.](?P<half>" + "|".join(map(re.escape, _HALVES)) + ")$")
_PARTS = ("transformer", "text_encoder")
# Other tools' prefixes for what diffusers calls `transformer.`
_SAME_AS_TRANSFORMER = ("diffusion_model.", "base_model.model.")


@dataclass(frozen=True)
class LoraFile:
    """A LoRA on disk, known by the hash of its bytes."""

    path: Path
    sha256: str
    header: Header


def open_lora(path: Path) -> LoraFile:
    """A LoRA's hash and header; anything that is not a safetensors file is refused unopened."""
    if not path.is_file():
        raise UserError(f"There is no LoRA file {path}.")
    if path.suffix.lower() != ".safetensors":
        raise UserError(f"{path} is not a .safetensors file; LoRAs are opened in no other format.")
    return LoraFile(path, hash_file(path), read_header(path))


def check_fits(lora: LoraFile, family: Family, folder: Path, model: str) -> None:
    """Refuse a LoRA that was made for another family or another size, before anything is loaded."""
    known = family.lora_layers(folder)
    layers = _layers(lora)
    strangers = [layer for layer in layers if layer not in known]
    if strangers:
        raise UserError(f"{lora.path.name} does not fit {model}: {family.name} has no layer {strangers[0]}.")
    for layer, halves in layers.items():
        _check_shapes(lora, layer, halves, known[layer], model)
    if not any(name.startswith("transformer.") for layer in layers for name in known[layer]):
        raise UserError(f"{lora.path.name} changes nothing in {model}'s transformer.")


def _layers(lora: LoraFile) -> dict[str, dict[str, str]]:
    """Layer → which tensor is its down, its up, its alpha."""
    layers: dict[str, dict[str, str]] = {}
    for tensor in lora.header.shapes:
        found = _LAYER.match(tensor)
        if not found:
            raise UserError(f"{lora.path.name} is not a LoRA: it holds a tensor called {tensor}.")
        layers.setdefault(_plain(found["layer"]), {})[_HALVES[found["half"]]] = tensor
    if not layers:
        raise UserError(f"{lora.path.name} is not a LoRA: it is empty.")
    return layers


def _plain(layer: str) -> str:
    for prefix in _SAME_AS_TRANSFORMER:
        if layer.startswith(prefix):
            return "transformer." + layer.removeprefix(prefix)
    return layer


def _check_shapes(lora: LoraFile, layer: str, halves: Mapping[str, str], meant: LayerShapes, model: str) -> None:
    down, up = (lora.header.shapes.get(halves.get(half, ""), ()) for half in ("down", "up"))
    alpha = math.prod(lora.header.shapes.get(halves.get("alpha", ""), ()))
    if len(down) != 2 or len(up) != 2 or down[0] != up[1] or down[0] == 0 or alpha != 1:
        raise UserError(f"{lora.path.name} is damaged: {layer} lacks a matching half.")
    there = (sum(shape[0] for shape in meant.values()), next(iter(meant.values()))[1])
    if (up[0], down[1]) != there:
        here = f"{up[0]} × {down[1]}"
        raise UserError(
            f"{lora.path.name} does not fit {model}: {layer} is {here} there and {there[0]} × {there[1]} here."
        )


def read_state(lora: LoraFile, family: Family, folder: Path) -> "dict[str, torch.Tensor]":
    """The LoRA's weights under diffusers' names, scaled so that alpha equals rank."""
    from safetensors.torch import load_file

    tensors = load_file(str(lora.path))
    for name, tensor in tensors.items():
        if not bool(tensor.float().isfinite().all()):
            raise UserError(f"{lora.path.name} is damaged: {name} holds numbers that are not finite.")
    known = family.lora_layers(folder)
    alphas = _stated_alphas(lora)
    state: dict[str, torch.Tensor] = {}
    for layer, halves in _layers(lora).items():
        down, up = tensors[halves["down"]].float(), tensors[halves["up"]].float()
        stated = alphas(layer, len(down))
        alpha = float(tensors[halves["alpha"]]) if "alpha" in halves else stated
        if not math.isfinite(alpha):
            raise UserError(f"{lora.path.name} is damaged: its header says an alpha that is not finite.")
        state.update(_split(down, up * (alpha / len(down)), known[layer]))
    return state


def _stated_alphas(lora: LoraFile) -> Callable[[str, int], float]:
    """diffusers keeps alpha as JSON in the header, once for each component or by layer; unsaid, it is the rank."""
    try:
        said = dict(json.loads(lora.header.metadata.get("lora_adapter_metadata", "{}")))
        alphas = {part: float(said.get(f"{part}.lora_alpha") or 0) for part in _PARTS}
        patterns = {
            f"{part}.{layer.removeprefix('^')}": float(alpha)
            for part in _PARTS
            for layer, alpha in (said.get(f"{part}.alpha_pattern") or {}).items()
        }
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{lora.path.name} is damaged: its header does not say its alpha readably.") from error

    def alpha_of(layer: str, rank: int) -> float:
        part = layer.partition(".")[0]
        by_layer = [alpha for name, alpha in patterns.items() if _is_tail(layer, name)]
        alpha = (by_layer or [alphas.get(part) or float(rank)])[0]
        return alpha * math.sqrt(rank) if said.get(f"{part}.use_rslora") else alpha

    return alpha_of


def _is_tail(layer: str, name: str) -> bool:
    """peft's patterns name a layer by the end of its path."""
    part, _, tail = name.partition(".")
    return layer == name or (layer.startswith(f"{part}.") and layer.endswith(f".{tail}"))


def _split(down: "torch.Tensor", up: "torch.Tensor", meant: LayerShapes) -> "Iterator[tuple[str, torch.Tensor]]":
    """One pair of halves for each layer that a fused one stands for."""
    ups = up.split([shape[0] for shape in meant.values()])
    for layer, part in zip(meant, ups, strict=True):
        yield f"{layer}.lora_A.weight", down
        yield f"{layer}.lora_B.weight", part.contiguous()


class LoraShelf:
    """Where LoRAs lie, by hash: files named now, the index of files used before, and the `loras` folder."""

    def __init__(self, folder: Path | None = None) -> None:
        self.home = folder or home()

    @property
    def index(self) -> Path:
        return self.home / "loras.json"

    def register(self, lora: LoraFile) -> None:
        """Remember where a LoRA lies, so that a recipe that names its hash finds it."""
        known = self._known()
        if known.get(lora.sha256) != str(lora.path.resolve()):
            known[lora.sha256] = str(lora.path.resolve())
            write_json_atomic(self.index, known)

    def find(self, sha256: str, given: Iterable[LoraFile] = ()) -> LoraFile:
        """The LoRA with this hash, wherever it is known to lie and still has it."""
        for lora in given:
            if lora.sha256 == sha256:
                return lora
        for path in self._places(sha256):
            if path.is_file() and hash_file(path) == sha256:
                return open_lora(path)
        place = self.home / "loras"
        raise UserError(f"The LoRA with hash {sha256} is missing: name its file with --lora or put it in {place}.")

    def _places(self, sha256: str) -> Iterator[Path]:
        known = self._known()
        if sha256 in known:
            yield Path(known[sha256])
        # The studio's library names them so: none of the others has to be read.
        yield self.home / "loras" / f"{sha256}.safetensors"
        yield from sorted((self.home / "loras").rglob("*.safetensors"))

    def _known(self) -> dict[str, str]:
        if not self.index.is_file():
            return {}
        try:
            known = json.loads(self.index.read_text(encoding="utf-8"))
            return {str(sha256): str(path) for sha256, path in known.items()}
        except (OSError, ValueError, AttributeError) as error:
            raise UserError(f"{self.index} is not readable; it was kept as it is, repair or remove it.") from error
