"""A space's pipelines: made, changed, copied, put aside. What ran with a version keeps that version."""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.studio.pipelines.models import Pipeline, Step, Version
from zoetrope.studio.pipelines.steps import StepIn, checked
from zoetrope.studio.spaces.models import Space, User

_LONGEST_NAME = 80

BEGINNINGS: dict[str, tuple[str, list[StepIn]]] = {
    "Drafts, then the best finished": (
        "Many quick drafts; those that you choose are drawn again with care, from the same seed.",
        [
            StepIn(name="Drafts", template={"steps": 12}, children=8, keep=2),
            StepIn(
                name="Finished",
                template={"prompt": "{{parent_prompt}}", "seed": "{{parent_seed}}", "steps": 28},
                children=1,
                keep=1,
            ),
        ],
    ),
    "Eight to choose from": (
        "One step: the winner is the best of eight.",
        [StepIn(name="Pictures", children=8, keep=1)],
    ),
    "Drafts, variations, the best finished": (
        "From the best drafts grow variations, and from the best of those a finished picture.",
        [
            StepIn(name="Drafts", template={"steps": 12}, children=8, keep=2),
            StepIn(name="Variations", template={"prompt": "{{parent_prompt}}", "steps": 12}, children=4, keep=1),
            StepIn(
                name="Finished",
                template={"prompt": "{{parent_prompt}}", "seed": "{{parent_seed}}", "steps": 28},
                children=1,
                keep=1,
            ),
        ],
    ),
}
"""What a pipeline may begin as: what each is for, and its steps."""


def make(space: Space, name: str, about: str, steps: Sequence[StepIn], by: User | None) -> Pipeline:
    """A new pipeline."""
    name = _named(name)
    checked(list(steps))
    with transaction.atomic():
        pipeline = Pipeline.objects.create(space=space, name=name, about=about.strip()[:300])
        _write(Version.objects.create(pipeline=pipeline, number=1, by=by), steps)
    return pipeline


def newest(pipeline: Pipeline) -> Version:
    """What runs that start now go by."""
    return pipeline.versions.all()[0]


def steps_of(version: Version) -> list[StepIn]:
    """Its steps, as people say them."""
    names = ("name", "engine", "template", "children", "keep")
    return [StepIn(**{name: getattr(step, name) for name in names}) for step in version.steps.all()]


def change(pipeline: Pipeline, name: str, about: str, steps: Sequence[StepIn], by: User | None) -> Version:
    """Other steps from now on: a new version where the newest has run, and else the newest itself."""
    name = _named(name)
    checked(list(steps))
    with transaction.atomic():
        Pipeline.objects.filter(pk=pipeline.pk).update(name=name, about=about.strip()[:300])
        version = newest(pipeline)
        if list(steps) == steps_of(version):
            return version
        if version.runs.exists():
            version = Version.objects.create(pipeline=pipeline, number=version.number + 1, by=by)
        else:
            version.steps.all().delete()
        _write(version, steps)
    return version


def copy(pipeline: Pipeline, by: User | None) -> Pipeline:
    """Another of the same steps."""
    name = f"{pipeline.name[: _LONGEST_NAME - 7]} (copy)"
    return make(pipeline.space, name, pipeline.about, steps_of(newest(pipeline)), by)


def retire(pipeline: Pipeline, back: bool = False) -> None:
    """Out of sight, or back again; its runs stay as they are."""
    pipeline.retired = None if back else timezone.now()
    pipeline.save(update_fields=["retired"])


def _named(name: str) -> str:
    name = name.strip()
    if not 0 < len(name) <= _LONGEST_NAME:
        raise UserError(f"A pipeline needs a name of 1 to {_LONGEST_NAME} characters.")
    return name


def _write(version: Version, steps: Sequence[StepIn]) -> None:
    Step.objects.bulk_create(
        Step(version=version, place=place, **step.model_dump()) for place, step in enumerate(steps, start=1)
    )
