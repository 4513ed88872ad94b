"""From an adapter to a file that others load: checked on the way out, described in its header."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoetrope.errors import UserError
from zoetrope.media.files import json_text, write_atomic, write_together
from zoetrope.media.hashing import hash_bytes
from zoetrope.models.learner import Learner
from zoetrope.models.loras import check_fits, open_lora, read_state
from zoetrope.training.adapter import Adapter
from zoetrope.training.settings import Precision, Settings

if TYPE_CHECKING:
    from torch import Tensor

SCHEMA = 1
# A LoRA whose change is smaller than this share of rounding would draw the base's pictures.
_SMALLEST_CHANGE = 1e-6
_CLOSE = 0.02


@dataclass(frozen=True)
class About:
    """What an export says of itself."""

    title: str
    trigger: str
    model: str
    model_sha256: str
    family: str
    dataset: str
    licence: str = ""
    tags: Mapping[str, int] | None = None


def export(
    path: Path, weights: "Mapping[str, Tensor]", learner: Learner, settings: Settings, about: About, steps: int
) -> dict[str, Any]:
    """Write NAME.safetensors and NAME.json; the sheet is given back. Nothing is written that would have no effect."""
    state = diffusers_state(weights, settings)
    check_effect(state)
    blob = with_header(state, _header(learner.architecture, settings, about, steps))
    sheet = {
        "schema_version": SCHEMA,
        "name": about.title,
        "file": path.name,
        "sha256": hash_bytes(blob),
        "type": settings.type.value,
        "trigger": about.trigger,
        "base": {"model": about.model, "family": about.family, "sha256": about.model_sha256},
        "rank": settings.rank,
        "steps": steps,
        "dataset_sha256": about.dataset,
        "licence": about.licence,
        "settings": settings.model_dump(mode="json"),
    }
    beside = path.with_suffix(".json")
    # Together: a full disk must not leave half a pair.
    write_together({path: blob, beside: json_text(beside, sheet).encode()})
    check_fits(open_lora(path), learner.family, learner.folder, about.model)
    return sheet


def keep(path: Path, adapter: Adapter, learner: Learner, settings: Settings, about: About, steps: int) -> None:
    """The LoRA as it is on the way, whole: others load it as they load the last."""
    state = diffusers_state(adapter.average, settings)
    write_atomic(path, with_header(state, _header(learner.architecture, settings, about, steps)))


def diffusers_state(weights: "Mapping[str, Tensor]", settings: Settings) -> "dict[str, Tensor]":
    """The names diffusers and ComfyUI both read, the scale folded in, so that alpha equals rank for every reader."""
    import torch

    return {
        f"transformer.{name}": (tensor * settings.scale if ".lora_B." in name else tensor)
        .to(torch.float32 if settings.precision is Precision.fp32 else torch.bfloat16)
        .contiguous()
        for name, tensor in weights.items()
    }


def check_effect(state: "Mapping[str, Tensor]") -> None:
    """Refuse a LoRA that is broken or that changes nothing."""
    if not all(bool(tensor.isfinite().all()) for tensor in state.values()):
        raise UserError("The trained LoRA holds numbers that are not finite; it was not exported.")
    strongest = max(float(tensor.abs().max()) for name, tensor in state.items() if ".lora_B." in name)
    if strongest < _SMALLEST_CHANGE:
        raise UserError("The trained LoRA changes nothing; it was not exported. Train longer or with a higher --lr.")


def check_reload(path: Path, learner: Learner, live: "Tensor", probe: "Probe") -> float:
    """Load the file into a fresh pipeline and compare its answer with the live adapter's; the relative difference."""
    fresh = learner.family.learner(learner.folder, learner.plan)
    network: Any = fresh.network()
    state = read_state(open_lora(path), learner.family, learner.folder)
    network.load_lora_adapter({name: tensor.to(network.dtype) for name, tensor in state.items()}, prefix="transformer")
    again = probe.answer(fresh)
    difference = float((again - live).norm() / live.norm())
    if not difference <= _CLOSE:
        raise UserError(
            f"{path} draws differently when loaded again (by {difference:.1%}); it was kept for study, do not use it."
        )
    return difference


@dataclass(frozen=True)
class Probe:
    """One fixed question to a network."""

    latents: "Tensor"
    words: "Mapping[str, Tensor]"

    def answer(self, learner: Learner) -> "Tensor":
        import torch

        device = learner.device
        words = {name: tensor.to(device) for name, tensor in self.words.items()}
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=learner.plan.dtype == "bfloat16"):
            return learner.predict(self.latents.to(device), torch.full((1,), 0.6, device=device), [words]).float().cpu()


def with_header(state: "Mapping[str, Tensor]", header: dict[str, str]) -> bytes:
    """The file's bytes; ModelSpec wants the hash of the tensors alone in the header."""
    from safetensors.torch import save

    bare = save(dict(state))
    start = 8 + int.from_bytes(bare[:8], "little")
    names = json.loads(bare[8:start])
    # The library writes metadata in any order; the same training is to give the same bytes.
    said = dict(sorted((header | {"modelspec.hash_sha256": "0x" + hash_bytes(bare[start:])}).items()))
    text = json.dumps({"__metadata__": said, **names}, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + bare[start:]


def _header(architecture: str, settings: Settings, about: About, steps: int) -> dict[str, str]:
    side = max(settings.resolutions)
    said = {
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.architecture": architecture,
        "modelspec.implementation": "diffusers",
        "modelspec.title": about.title,
        "modelspec.date": datetime.now(UTC).date().isoformat(),
        "modelspec.resolution": f"{side}x{side}",
        "modelspec.trigger_phrase": about.trigger,
        "modelspec.license": about.licence,
        "modelspec.description": f"A {settings.type.value} LoRA for {about.model}, made with Zoetrope.",
        "ss_base_model_version": "flux1",
        "ss_network_module": "networks.lora_flux",
        "ss_network_dim": str(settings.rank),
        "ss_network_alpha": str(settings.rank),
        "ss_output_name": about.title,
        "ss_seed": str(settings.seed),
        "ss_steps": str(steps),
        "ss_learning_rate": str(settings.lr),
        "ss_optimizer": settings.optimizer.value,
        "ss_tag_frequency": json.dumps({"dataset": dict(about.tags or {})}, ensure_ascii=False),
    }
    return {key: value for key, value in said.items() if value}
