"""Posts that went out, with whatever became of them, and plain sums to hold ours against."""

import itertools
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from statistics import mean

from django.utils import timezone

from tests.studio.conftest import Cast
from zoetrope.media.hashing import hash_bytes
from zoetrope.media.recipe import LoraUse, ModelRef, Recipe
from zoetrope.studio.insights.models import Age, Reading
from zoetrope.studio.library.models import Kept
from zoetrope.studio.loras.models import Lora, Origin
from zoetrope.studio.making.models import Made, MadeLora
from zoetrope.studio.pipelines.models import Candidate, Pipeline, Run
from zoetrope.studio.planning.models import Pillar, Use
from zoetrope.studio.publishing.models import Channel, Post, PostPicture

_NUMBERS = itertools.count(1)


def went_out(
    cast: Cast,
    at: datetime | None = None,
    *,
    pillar: Pillar | None = None,
    kind: str = "image",
    channel: Channel | None = None,
    made: Made | None = None,
) -> Post:
    """A post that is live."""
    number = next(_NUMBERS)
    at = at or timezone.now() - timedelta(days=30, minutes=number)
    about = {"space": cast.space, "persona": cast.ada, "state": Post.State.PUBLISHED, "published": at, "due": at}
    post = Post.objects.create(
        **about, pillar=pillar, kind=kind, channel=channel, media=f"m{number}", caption=f"Post {number}."
    )
    if made is not None:
        PostPicture.objects.create(post=post, made=made)
    return post


def rated(post: Post, rate: float | None, age: Age = Age.DAYS) -> Reading:
    """What its audience did."""
    return Reading.objects.create(post=post, age=age, at=timezone.now(), source=Reading.Source.ACCOUNT, rate=rate)


def lora_of(cast: Cast, version: int = 1) -> Lora:
    """One that Ada's own workspace trained."""
    about = {"name": "ada", "kind": "character", "base": "nano-flux", "family": "flux", "size": 1}
    sha256 = hash_bytes(f"lora {version}".encode())
    return Lora.objects.create(
        space=cast.space, persona=cast.ada, version=version, sha256=sha256, origin=Origin.turn, **about
    )


def drawn_by(cast: Cast, lora: Lora, sha256: str, prompt: str = "ada at sea") -> Made:
    """A picture's row."""
    use = LoraUse(name=str(lora), sha256=lora.sha256, weight=1.0)
    recipe = Recipe(
        model=ModelRef(name="nano-flux", family="flux", sha256="0" * 64),
        prompt=prompt,
        seed=1,
        steps=4,
        guidance=1.0,
        width=600,
        height=600,
        loras=(use,),
    )
    said = {"space": cast.space, "persona": cast.ada, "width": 600, "height": 600}
    made = Made.objects.create(**said, sha256=sha256, recipe=recipe.model_dump(mode="json"))
    MadeLora.objects.create(made=made, sha256=lora.sha256, weight=1.0)
    return made


def won(cast: Cast, pipeline: Pipeline, made: Made, utility: float | None) -> Kept:
    """The winner of a run, with what votes made of it."""
    version = pipeline.versions.all()[0]
    run = Run.objects.create(
        space=cast.space, version=version, persona=cast.ada, name="a run", state=Run.State.DONE, wake=None
    )
    winner = Candidate.objects.create(
        run=run,
        step=version.steps.all()[0],
        made=made,
        state=Candidate.State.ACTIVE,
        utility=utility or 0.0,
        deviation=None if utility is None else 0.3,
    )
    run.winner = winner
    run.save()
    return Kept.objects.create(space=cast.space, made=made, run=run, words="a run", title="a run")


def posted(cast: Cast, kept: Kept, rate: float | None = None) -> Post:
    """A post that shows it."""
    post = went_out(cast, made=kept.made)
    Use.objects.create(kept=kept, made=kept.made, post=post.pk, at=timezone.now(), posted=True)
    if rate is not None:
        rated(post, rate)
    return post


def noise(seed: int, count: int, middle: float = 0.05) -> list[float]:
    """Rates as audiences give them: mostly small, now and then far larger."""
    chance = random.Random(seed)
    return [middle * chance.lognormvariate(0, 0.6) for _ in range(count)]


def noon(days_ago: int, hour: int = 12) -> datetime:
    """A moment of some days ago, by UTC."""
    today = datetime.now(UTC).replace(hour=hour, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days_ago)


def variance(values: Sequence[float]) -> float:
    """As books write it."""
    middle = mean(values)
    return sum((value - middle) ** 2 for value in values) / (len(values) - 1)


def plain_ranks(values: Iterable[float]) -> list[float]:
    """By counting: how many are smaller, and half of those alike."""
    every = list(values)
    return [sum(other < value for other in every) + (sum(other == value for other in every) + 1) / 2 for value in every]
