"""What a training is told, checked before anything is loaded."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from zoetrope.errors import UserError
from zoetrope.models.memory import Quantize

TAKEN = frozenset({"state", "preview"})
"""What no LoRA can be called: a training keeps files of these names beside it."""


class LoraType(StrEnum):
    """What the LoRA stands for."""

    character = "character"
    style = "style"
    concept = "concept"


class OptimizerName(StrEnum):
    """Optimizers, each by the library that keeps it."""

    adamw = "adamw"
    adamw8bit = "adamw8bit"
    prodigy = "prodigy"


class Precision(StrEnum):
    """In what the forward and backward passes calculate; the adapter's own weights are always float32."""

    fp32 = "fp32"
    bf16 = "bf16"


class Settings(BaseModel):
    """Every choice of a training; with the dataset and the model it decides the result."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    type: LoraType = LoraType.character
    steps: int = Field(default=1000, ge=1, le=1_000_000)
    rank: int = Field(default=16, ge=1, le=512)
    alpha: float | None = Field(default=None, gt=0)
    lr: float = Field(default=1e-4, gt=0, le=10)
    warmup: int = Field(default=20, ge=0)
    # Sides of squares with the area that pictures are trained at; more than one trains at several resolutions.
    resolutions: tuple[int, ...] = (512,)
    batch_size: int = Field(default=1, ge=1, le=256)
    optimizer: OptimizerName = OptimizerName.adamw
    # None is bf16 where the device multiplies that natively, as others take several times as long with it.
    precision: Precision | None = None
    # How the frozen base is held while the LoRA learns; None is as the device's memory asks for.
    quantize: Quantize | None = None
    # The share of the transformer's blocks that are computed again on the way back instead of being remembered.
    checkpoint_blocks: float = Field(default=0.0, ge=0, le=1)
    # The share of the steps, at their beginning, that see heads and expressions only; full bodies come after.
    head_share: float = Field(default=0.0, ge=0, le=1)
    caption_dropout: float = Field(default=0.05, ge=0, lt=1)
    ema: float = Field(default=0.99, ge=0, lt=1)
    # The share of pictures kept from training, whose loss shows when to stop.
    validation: float = Field(default=0.0, ge=0, le=0.5)
    checkpoint_every: int = Field(default=100, ge=1)
    sample_every: int = Field(default=0, ge=0)
    # Every so many steps the LoRA as it is then is kept, for a choice among them afterwards; 0 keeps the last alone.
    keep_every: int = Field(default=0, ge=0)
    seed: int = Field(default=1, ge=0, lt=2**31)

    @property
    def scale(self) -> float:
        """What the product of the two halves is multiplied by; 1 unless an alpha is given."""
        return 1.0 if self.alpha is None else self.alpha / self.rank

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if not self.resolutions or min(self.resolutions) < 16 or max(self.resolutions) > 4096:
            raise ValueError("resolutions must be from 16 to 4096 pixels")
        return self


def make_settings(defaults: Mapping[str, object] | None = None, **chosen: object) -> Settings:
    """Settings from what a person typed; what is None is as the model's makers advise, or else our own default."""
    said = {name: value for name, value in chosen.items() if value is not None}
    try:
        return Settings.model_validate({**(defaults or {}), **said})
    except ValidationError as error:
        fault = error.errors()[0]
        if not fault["loc"]:
            raise UserError(f"This cannot be trained: {_plain(fault['msg'])}.") from error
        raise UserError(f"{fault['loc'][0]} cannot be {fault['input']!a:.60}: {_plain(fault['msg'])}.") from error


def _plain(message: str) -> str:
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
