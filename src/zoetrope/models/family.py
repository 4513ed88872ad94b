"""The seam: all that the rest of Zoetrope asks of a model family."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from pydantic import BaseModel, ConfigDict, ValidationError

from zoetrope.errors import UserError
from zoetrope.models import folders

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

    from zoetrope.media.recipe import Recipe
    from zoetrope.models.learner import Learner
    from zoetrope.models.memory import MemoryPlan

# diffusers builds its pipelines' attributes while running, so no static type describes one.
Pipeline: TypeAlias = Any
LayerShapes: TypeAlias = Mapping[str, tuple[int, int]]


class Defaults(BaseModel):
    """What a recipe says where nobody said otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int
    guidance: float
    true_guidance: float
    width: int
    height: int
    max_tokens: int


class Notes(BaseModel):
    """`zoetrope.json` of a model folder: its defaults, and whatever else its makers keep there."""

    model_config = ConfigDict(frozen=True, extra="allow")

    family: str | None = None
    licence: str = ""
    defaults: dict[str, int | float] = {}
    # What a training on this model begins with where nobody said otherwise: the trainer's own words and values.
    training: dict[str, Any] = {}


class Family(ABC):
    """How models of one architecture are recognised, loaded, called and adapted."""

    name: ClassVar[str]
    pipeline_class: ClassVar[str]
    # Component → the classes it may have, as `library.Class`. Nothing else is ever imported.
    classes: ClassVar[Mapping[str, frozenset[str]]]
    # Components worth quantizing: those that hold nearly all the weights.
    heavy: ClassVar[tuple[str, ...]]
    takes_image: ClassVar[bool] = False

    def recognises(self, folder: Path) -> bool:
        """Whether the folder says it is of this family."""
        return folders.read_index(folder).get("_class_name") == self.pipeline_class

    def check(self, folder: Path) -> None:
        """Refuse, in one sentence, a folder that is not safe or not of this family."""
        if not self.recognises(folder):
            said = folders.read_index(folder).get("_class_name")
            raise UserError(f"{folder} holds a {said}, not the {self.pipeline_class} of family {self.name}.")
        folders.check_classes(folder, self.classes)
        folders.check_weights(folder)
        self.defaults(folder)

    def load(self, folder: Path, plan: "MemoryPlan", leave_out: Collection[str] = ()) -> Pipeline:
        """The pipeline, on its device, from this folder alone; parts that are left out are None."""
        from zoetrope.models.loading import load_pipeline

        self.check(folder)
        return load_pipeline(self, folder, plan, leave_out)

    def defaults(self, folder: Path) -> Defaults:
        """The family's defaults, with what the folder's own notes say instead."""
        # A folder that is gone is better named than the first of its files.
        folders.read_index(folder)
        said = self.notes(folder).defaults
        try:
            return Defaults.model_validate({**self.family_defaults(folder).model_dump(), **said})
        except ValidationError as error:
            raise _bad_notes(folder, error) from error

    def notes(self, folder: Path) -> Notes:
        """What the folder's makers wrote into `zoetrope.json`; empty where there is none."""
        path = folder / folders.NOTES
        if not path.is_file():
            return Notes()
        try:
            return Notes.model_validate(folders.read_json(path))
        except ValidationError as error:
            raise _bad_notes(folder, error) from error

    @abstractmethod
    def family_defaults(self, folder: Path) -> Defaults:
        """Defaults that hold for every model of this family and kind."""

    @abstractmethod
    def guided(self, folder: Path) -> bool:
        """Whether `guidance` means anything to this model; where not, `true_guidance` does."""

    @abstractmethod
    def size_step(self, folder: Path) -> int:
        """Width and height are multiples of this."""

    @abstractmethod
    def call_arguments(
        self, recipe: "Recipe", generators: "Sequence[torch.Generator]", image: "Image | None"
    ) -> dict[str, Any]:
        """What the pipeline is called with to draw the recipe's batch."""

    @abstractmethod
    def prompt_tokens(self, pipeline: Pipeline, prompt: str) -> int:
        """How long the prompt is to the encoder that reads all of it."""

    @abstractmethod
    def learner(self, folder: Path, plan: "MemoryPlan") -> "Learner":
        """The model as the trainer sees it."""

    @abstractmethod
    def lora_layers(self, folder: Path) -> Mapping[str, LayerShapes]:
        """Every name a LoRA may use for a layer → the layers it means, in the order they are fused there."""


def _bad_notes(folder: Path, error: ValidationError) -> UserError:
    where = ".".join(str(step) for step in error.errors()[0]["loc"])
    return UserError(f"{folder / folders.NOTES} has a value for {where} that cannot be used.")
