"""What `zoetrope world train` can train: each recipe from a seed to a folder or file that is shipped."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch
from safetensors.torch import save

from zoetrope.errors import UserError
from zoetrope.media.files import write_atomic
from zoetrope.world import vocabulary as words
from zoetrope.world.captions import ANYONE
from zoetrope.world.training.loop import Recipe, Report, train, use_average

if TYPE_CHECKING:
    from diffusers import AutoencoderKL, FluxPipeline

OnReport = Callable[[Report], None]

# Shares of the budget; the decoder comes last, when the transformer's latents are settled.
VAE_SHARE: Final = 0.15
FLUX_SHARE: Final = 0.73
DECODER_SHARE: Final = 0.12
DEFAULTS: Final = {
    "steps": 20,
    "guidance": 0.0,
    "true_guidance": 3.5,
    "width": 64,
    "height": 64,
    "max_tokens": 40,
}

# What a LoRA on it is well trained with.
TRAINING: Final = {"steps": 400, "rank": 16, "lr": 1e-3, "batch_size": 16, "resolutions": [64]}

# How the scenes of a model card are said in the toy world's grammar.
CARD: Final = {
    "head": "portrait of {who}, {expression}, {angle}, studio, soft light",
    "body": "{pose} of {who}, neutral, front, studio, soft light",
}


def train_nano_flux(work: Path, out: Path, *, seconds: float, seed: int, on_report: OnReport) -> None:
    """VAE, then transformer and text encoders, then the decoder once more; the folder is written at the end."""
    vae = _train_vae(work, seconds * VAE_SHARE, seed, on_report)
    pipeline = _train_flux(work, vae, seconds * FLUX_SHARE, seed, on_report)
    _train_decoder(work, pipeline, seconds * DECODER_SHARE, seed, on_report)
    ship(pipeline, out, work / "log.jsonl")


def train_oracle(work: Path, out: Path, *, seconds: float, seed: int, on_report: OnReport) -> None:
    """The oracle's weights, in one file."""
    from zoetrope.world.training.eyes import OracleRecipe

    _train_one(OracleRecipe, work, out, seconds, seed, on_report)


def train_styled_oracle(work: Path, out: Path, *, seconds: float, seed: int, on_report: OnReport) -> None:
    """The weights of the oracle that knows every style, in one file."""
    from zoetrope.world.training.eyes import StyledOracleRecipe

    _train_one(StyledOracleRecipe, work, out, seconds, seed, on_report)


def train_identity(work: Path, out: Path, *, seconds: float, seed: int, on_report: OnReport) -> None:
    """The weights of the scorer nano_identity, in one file."""
    from zoetrope.world.training.identity import IdentityRecipe

    _train_one(IdentityRecipe, work, out, seconds, seed, on_report)


def _train_one(
    make: Callable[[], Recipe], work: Path, out: Path, seconds: float, seed: int, on_report: OnReport
) -> None:
    torch.manual_seed(seed)
    average = train(make(), work, seconds=seconds, seed=seed, learning_rate=2e-3, on_report=on_report)
    write_atomic(out, save({name: weight.half().contiguous() for name, weight in average.items()}))


def _train_vae(work: Path, seconds: float, seed: int, on_report: OnReport) -> "AutoencoderKL":
    from zoetrope.world.training.vae import VaeRecipe, measure_latents

    torch.manual_seed(seed)
    recipe = VaeRecipe()
    use_average(recipe, train(recipe, work, seconds=seconds, seed=seed, learning_rate=3e-3, on_report=on_report))
    shift, scale = measure_latents(recipe.vae, seed)
    recipe.vae.register_to_config(shift_factor=shift, scaling_factor=scale)
    return recipe.vae


def _train_flux(work: Path, vae: "AutoencoderKL", seconds: float, seed: int, on_report: OnReport) -> "FluxPipeline":
    from zoetrope.world.training.flux import FluxRecipe, new_pipeline

    torch.manual_seed(seed)
    pipeline = new_pipeline(vae)
    recipe = FluxRecipe(pipeline)
    average = train(recipe, work, seconds=seconds, seed=seed, learning_rate=3e-3, averaging=0.9995, on_report=on_report)
    use_average(recipe, average)
    return pipeline


def _train_decoder(work: Path, pipeline: "FluxPipeline", seconds: float, seed: int, on_report: OnReport) -> None:
    from zoetrope.world.training.vae import DecoderRecipe

    recipe = DecoderRecipe(pipeline.vae)
    use_average(recipe, train(recipe, work, seconds=seconds, seed=seed, learning_rate=1e-3, on_report=on_report))


def ship(pipeline: "FluxPipeline", out: Path, log: Path) -> None:
    """Write the diffusers folder in half precision, with its drawing defaults and its training log."""
    pipeline.to(torch.float16)
    pipeline.save_pretrained(out, safe_serialization=True)
    for part in ("text_encoder", "text_encoder_2"):
        _load_as_float32(out / part / "config.json")
    sheet = {
        "schema_version": 1,
        "family": "flux",
        "licence": "Apache-2.0",
        "defaults": DEFAULTS,
        "training": TRAINING,
        "scorer": "nano_identity",
        "anyone": ANYONE,
        "card": CARD,
        "scenes": _scenes(),
    }
    write_atomic(out / "zoetrope.json", (json.dumps(sheet, indent=2) + "\n").encode())
    if log.exists():
        write_atomic(out / "training.jsonl", log.read_bytes())


def _scenes() -> dict[str, object]:
    """What a persona's new scenes are made of, in the toy world's words."""
    return {
        "sentence": "{framing} of {who}, {expression}, {yaw}, {background}, {light} light",
        "framing": ["portrait", *words.FRAMING],
        "expression": list(words.EXPRESSION),
        "yaw": [yaw for yaw in words.YAW if yaw != "back"],
        "background": list(words.BACKGROUND),
        "light": list(words.LIGHT),
    }


def _load_as_float32(config: Path) -> None:
    """transformers loads a model as its configuration says, diffusers as float32: they must agree to work together."""
    said = json.loads(config.read_text(encoding="utf-8")) | {"dtype": "float32"}
    write_atomic(config, (json.dumps(said, indent=2) + "\n").encode())


RECIPES: Final = {
    "nano-flux": train_nano_flux,
    "nano-identity": train_identity,
    "oracle": train_oracle,
    "oracle-styles": train_styled_oracle,
}
RESULTS: Final = {
    "nano-flux": Path("nano-flux"),
    "nano-identity": Path("nano_identity.safetensors"),
    "oracle": Path("oracle.safetensors"),
    "oracle-styles": Path("oracle_styles.safetensors"),
}


def result_path(name: str) -> Path:
    """What the recipe called `name` makes: a folder or a file."""
    if name not in RECIPES:
        raise UserError(f"There is no recipe called {name!r}; there are {', '.join(RECIPES)}.")
    return RESULTS[name]


def run(
    name: str, work: Path, out: Path, *, seconds: float, seed: int, on_spent: Callable[[float, Report], None]
) -> None:
    """Train, telling after every report how many seconds all stages have spent together."""
    spent: dict[str, float] = {}

    def on_report(report: Report) -> None:
        spent[report.name] = report.spent
        on_spent(sum(spent.values()), report)

    RECIPES[name](work, out, seconds=seconds, seed=seed, on_report=on_report)
