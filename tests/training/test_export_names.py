"""What is exported loads where people draw: in plain diffusers, and under the names that ComfyUI accepts.

ComfyUI only logs a name it does not know, so a wrong one would fail in silence. Its rule for FLUX, as far as our
exports go: `transformer.` and diffusers' name of a layer, which stands for rows of one of the original code's fused
layers; the halves are `lora_A.weight` and `lora_B.weight`; alpha is read from a tensor `.alpha` alone, and is else the
rank.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import FluxKontextPipeline, FluxPipeline
from safetensors.torch import load_file

from tests import tiny
from tests.training.runs import SETTINGS, Silent, model, order
from zoetrope.models.catalogue import Catalogue
from zoetrope.models.families import FAMILIES
from zoetrope.training.run import train_lora

KINDS = ("dev", "schnell", "kontext")
Shape = tuple[int, int]


def accepted(depth: int, singles: int, width: int) -> dict[str, Shape]:
    """The layers that ComfyUI finds in a FLUX of this size, and the rows and columns that a change must have."""
    square, grown, shrunk = (width, width), (4 * width, width), (width, 4 * width)
    picture = {"attn.to_q": square, "attn.to_k": square, "attn.to_v": square, "attn.to_out.0": square}
    text = {f"attn.add_{part}_proj": square for part in "qkv"} | {"attn.to_add_out": square}
    products = {"ff.net.0.proj": grown, "ff.net.2": shrunk, "ff_context.net.0.proj": grown, "ff_context.net.2": shrunk}
    modulation = {"norm1.linear": (6 * width, width), "norm1_context.linear": (6 * width, width)}
    single = {"attn.to_q": square, "attn.to_k": square, "attn.to_v": square, "proj_mlp": grown}
    single |= {"proj_out": (width, 5 * width), "norm.linear": (3 * width, width)}
    double = picture | text | products | modulation
    return dict(_numbered("transformer_blocks", depth, double)) | dict(
        _numbered("single_transformer_blocks", singles, single)
    )


def _numbered(block: str, count: int, layers: dict[str, Shape]) -> Iterator[tuple[str, Shape]]:
    for number in range(count):
        for name, shape in layers.items():
            yield f"transformer.{block}.{number}.{name}", shape


@pytest.fixture(params=KINDS)
def exported(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A LoRA trained on a tiny base of each kind; the base lies beside it."""
    train_lora(order(tmp_path, model(tmp_path, request.param)), Silent())
    (tmp_path / "out" / "ada.safetensors").rename(tmp_path / "ada.safetensors")
    return tmp_path / "ada.safetensors"


def base_of(file: Path) -> Path:
    return next(file.parent.glob("model-*"))


def test_plain_diffusers_takes_every_tensor_and_scale_0_gives_the_base(exported: Path) -> None:
    base = base_of(exported)
    kind = FluxKontextPipeline if base.name.endswith("kontext") else FluxPipeline
    pipeline: Any = kind.from_pretrained(str(base), local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    before = drawn(pipeline)
    pipeline.load_lora_weights(str(exported), adapter_name="ada")
    held = {name.replace(".ada.", "."): tensor for name, tensor in pipeline.transformer.named_parameters()}
    stored = load_file(str(exported))
    assert {name.removeprefix("transformer.") for name in stored} == {name for name in held if ".lora_" in name}
    assert all(torch.equal(held[name.removeprefix("transformer.")], tensor) for name, tensor in stored.items())
    assert not torch.equal(drawn(pipeline), before)
    pipeline.set_adapters(["ada"], [0.0])
    assert torch.equal(drawn(pipeline), before)


def drawn(pipeline: Any) -> torch.Tensor:
    generator = torch.Generator("cpu").manual_seed(5)
    call = {"prompt": "ada", "width": 32, "height": 32, "num_inference_steps": 2, "generator": generator}
    if isinstance(pipeline, FluxKontextPipeline):
        call |= {"max_area": 32 * 32, "_auto_resize": False}
    drawn: torch.Tensor = pipeline(**call, output_type="latent").images
    return drawn


def test_comfyui_knows_every_key(exported: Path) -> None:
    config = json.loads((base_of(exported) / "transformer" / "config.json").read_text())
    width = config["num_attention_heads"] * config["attention_head_dim"]
    known = accepted(config["num_layers"], config["num_single_layers"], width)
    stored = load_file(str(exported))
    layers = {name.removesuffix(f".lora_{half}.weight") for name in stored for half in "AB"} - stored.keys()
    assert len(stored) == 2 * len(layers)
    for layer in layers:
        down, up = stored[f"{layer}.lora_A.weight"], stored[f"{layer}.lora_B.weight"]
        assert down.shape[0] == up.shape[1] == SETTINGS.rank
        assert (up.shape[0], down.shape[1]) == known[layer]


def test_every_layer_of_the_full_flux_that_learns_is_known_to_comfyui() -> None:
    with torch.device("meta"):
        full = tiny.transformer(guidance=True, heads=24, head_dim=128, layers=(19, 38))
    layers = {
        name: tuple(part.weight.shape) for name, part in full.named_modules() if isinstance(part, torch.nn.Linear)
    }
    family = FAMILIES["flux"]
    learner = family.learner(tiny.saved("dev"), Catalogue().find("nano-flux").plan())
    learnt = {f"transformer.{name}": shape for name, shape in layers.items() if re.fullmatch(learner.targets(), name)}
    known = accepted(19, 38, 24 * 128)
    assert learnt.items() <= known.items()
    assert len(learnt) == 19 * 12 + 38 * 5


# Run inside ComfyUI's own folder: only its names are wanted, so what its models are made of stays out.
_ASK = """
import json, sys, types
folder, file = sys.argv[1:]
sys.path.insert(0, folder)
class Models(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        setattr(self, name, type(name, (), {}))
        return getattr(self, name)
import comfy
comfy.model_base = sys.modules["comfy.model_base"] = Models("comfy.model_base")
comfy.model_management = sys.modules["comfy.model_management"] = Models("comfy.model_management")
import importlib.util
if importlib.util.find_spec("einops") is None:
    sys.modules["einops"] = Models("einops")
import logging
import comfy.lora
from safetensors.torch import load_file
config = json.loads(sys.stdin.read())
width = config["num_attention_heads"] * config["attention_head_dim"]
sizes = dict(depth=config["num_layers"], depth_single_blocks=config["num_single_layers"], hidden_size=width)
class Base(comfy.model_base.Flux):
    model_config = types.SimpleNamespace(unet_config=sizes)
    def state_dict(self): return {}
unknown = []
logging.warning = lambda text, *rest: unknown.append(text)
patches = comfy.lora.load_lora(load_file(file), comfy.lora.model_lora_keys_unet(Base(), {}))
print(json.dumps({"patches": len(patches), "unknown": unknown}))
"""


def test_comfyui_itself_loads_every_key(exported: Path) -> None:
    folder = os.environ.get("ZOETROPE_COMFYUI")
    if not folder or not (Path(folder) / "comfy" / "lora.py").is_file():
        pytest.skip("ZOETROPE_COMFYUI names no ComfyUI folder")
    config = (base_of(exported) / "transformer" / "config.json").read_text()
    command = [sys.executable, "-c", _ASK, folder, str(exported)]
    done = subprocess.run(command, input=config, capture_output=True, text=True, check=True)
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["unknown"] == []
    assert said["patches"] == len(load_file(str(exported))) // 2
