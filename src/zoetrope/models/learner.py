"""The seam to training: all that the trainer asks of a model, whatever its family."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from zoetrope.models.family import Family, Pipeline
from zoetrope.models.loading import release_memory
from zoetrope.models.memory import MemoryPlan

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

Words: TypeAlias = "Mapping[str, Tensor]"
"""One caption as the model reads it: tensors without a batch dimension."""


class Learner(ABC):
    """A model in parts: what turns pictures and words into numbers is held only until all are turned."""

    def __init__(self, family: Family, folder: Path, plan: MemoryPlan) -> None:
        self.family = family
        self.folder = folder
        self.plan = plan
        self.defaults = family.defaults(folder)
        self._held: dict[str, Pipeline] = {}

    @property
    def device(self) -> "torch.device":
        import torch

        return torch.device(self.plan.device)

    @property
    @abstractmethod
    def architecture(self) -> str:
        """ModelSpec's word for what the base is."""

    @abstractmethod
    def encode_words(self, captions: Sequence[str]) -> "list[dict[str, Tensor]]":
        """Each caption as the model reads it."""

    @abstractmethod
    def encode_pictures(self, pictures: "Tensor") -> "Tensor":
        """Pictures in [-1, 1] as the latents that the model draws: mean about 0, deviation about 1."""

    @abstractmethod
    def decode(self, latents: "Tensor") -> "Tensor":
        """Latents as pictures in about [-1, 1], by the decoder that stands beside the network for its samples."""

    @abstractmethod
    def network(self) -> "nn.Module":
        """The frozen network that a LoRA is put on; it draws as well as learns."""

    @abstractmethod
    def targets(self) -> str:
        """A regular expression for the names of the layers that get a LoRA."""

    @abstractmethod
    def blocks(self) -> "list[nn.Module]":
        """The network's blocks in order, for computing some of them again instead of remembering."""

    @abstractmethod
    def shift(self, latents: "Tensor") -> float:
        """How far noise levels are shifted towards noise for latents of this size; 1 is not at all."""

    def time(self, level: "Tensor", latents: "Tensor") -> "Tensor":
        """Noise levels from 0 to 1 as the times that a model of this kind is trained at, for latents of this size."""
        shift = self.shift(latents)
        return shift * level / (1.0 + (shift - 1.0) * level)

    @abstractmethod
    def predict(self, noisy: "Tensor", time: "Tensor", words: Sequence[Words]) -> "Tensor":
        """The velocity from picture to noise, in the latents' own shape; `time` is 1 where all is noise."""

    @abstractmethod
    def notes(self) -> list[str]:
        """What a person who trains this model should know first."""

    @abstractmethod
    def drawing_arguments(self, words: Words, plain: "Words | None", size: tuple[int, int]) -> dict[str, Any]:
        """What the pipeline is called with to draw one picture from encoded words; `plain` is the empty caption."""

    def pipeline(self, *parts: str) -> Pipeline:
        """A pipeline that holds only these of its weights, loaded once."""
        key = "+".join(sorted(parts))
        if key not in self._held:
            self._held[key] = self.family.load(self.folder, self.plan, self._others(parts))
        return self._held[key]

    def release(self, *parts: str) -> None:
        """Give a pipeline's memory back."""
        if self._held.pop("+".join(sorted(parts)), None) is not None:
            release_memory()

    def release_all(self) -> None:
        """Give back whatever is loaded."""
        self._held.clear()
        release_memory()

    def _others(self, parts: Sequence[str]) -> list[str]:
        kept = {*parts, "scheduler"}
        return [part for part in self.family.classes if part not in kept]
