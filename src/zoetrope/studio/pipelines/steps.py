"""What a step may ask of its engine, checked before anything is kept or drawn."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from zoetrope.engines.comfyui.workflow import ENGINE, Graph, texts
from zoetrope.engines.comfyui.workflow import checked as checked_graph
from zoetrope.errors import UserError, first_fault
from zoetrope.studio.pipelines import variables

PARENT_IMAGE = "parent_image_path"
MOST_STEPS, MOST_CHILDREN, MOST_KEPT = 6, 64, 16
_LONGEST = 2000


class Local(BaseModel):
    """A picture by Zoetrope's own engine; what is left out is the persona's or the model's default."""

    model_config = ConfigDict(extra="forbid")

    prompt: str = Field(default="{{trigger}}, {{prompt}}", min_length=1, max_length=_LONGEST)
    negative_prompt: str = Field(default="", max_length=_LONGEST)
    seed: str = Field(default="{{auto_seed}}", min_length=1, max_length=60)
    # Empty is the persona's own base.
    model: str = Field(default="", max_length=100)
    steps: int | None = Field(default=None, ge=1, le=1000)
    true_guidance: float | None = Field(default=None, ge=0, le=100)
    width: int | None = Field(default=None, ge=16, le=4096)
    height: int | None = Field(default=None, ge=16, le=4096)
    # With what the persona draws with.
    loras: bool = True
    # The picture before is looked at, by a model that can.
    looks: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        """Where variables may stand."""
        return (self.prompt, self.negative_prompt, self.seed)


class Comfy(BaseModel):
    """A picture by one of the space's ComfyUI servers, as a workflow says."""

    model_config = ConfigDict(extra="forbid")

    workflow: Graph
    # With what the persona draws with.
    loras: bool = True

    @field_validator("workflow", mode="before")
    @classmethod
    def _usable(cls, workflow: object) -> Graph:
        return checked_graph(workflow)

    @property
    def texts(self) -> tuple[str, ...]:
        """Where variables may stand."""
        return tuple(texts(self.workflow))

    @property
    def looks(self) -> bool:
        """Whether it is sent the picture before."""
        return any(PARENT_IMAGE in variables.named(text) for text in self.texts)


Template = Local | Comfy
LOCAL = "local"
ENGINES: dict[str, type[Local] | type[Comfy]] = {LOCAL: Local, ENGINE: Comfy}
"""By an engine's name, what a step asks of it."""


class StepIn(BaseModel):
    """A step as people and programs say it."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=40)
    engine: str = LOCAL
    template: dict[str, Any] = Field(default_factory=dict)
    children: int = Field(default=3, ge=1, le=MOST_CHILDREN)
    keep: int = Field(default=3, ge=1, le=MOST_KEPT)

    @property
    def asked(self) -> Template:
        """What it asks of its engine."""
        return template_of(self.engine, self.template)


def template_of(engine: str, said: dict[str, Any]) -> Template:
    """A step's template, or a sentence on what cannot be."""
    if engine not in ENGINES:
        raise UserError(f"There is no engine called {engine!r}: it is one of {', '.join(ENGINES)}.")
    try:
        return ENGINES[engine].model_validate(said)
    except ValidationError as error:
        raise UserError(first_fault(error, "The step")) from error


def checked(steps: list[StepIn]) -> list[str]:
    """The variables that a run of these steps has to say; a sentence where the steps cannot be."""
    if not 1 <= len(steps) <= MOST_STEPS:
        raise UserError(f"A pipeline has 1 to {MOST_STEPS} steps, not {len(steps)}.")
    found: dict[str, None] = {}
    come = 1
    for place, step in enumerate(steps):
        asked = step.asked
        come *= step.children
        if step is not steps[-1] and step.keep > come:
            raise UserError(f"Of {step.name} come {come} pictures; {step.keep} of them cannot go on.")
        come = min(come, step.keep)
        if asked.looks and not place:
            raise UserError("The first step has no picture before it to look at.")
        found |= dict.fromkeys(variables.checked(asked.texts, first=not place))
    return list(found)
