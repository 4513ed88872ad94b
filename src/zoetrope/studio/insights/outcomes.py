"""What became of each post, in two rewards that are never mixed: what its audience did, and what voters had said.

The audience's reward is the engagement rate: interactions for each one reached, three days after the post went out;
where that reading lacks one of the two, a week after. Taste is the utility that votes gave to the picture. A post of
which neither is known says nothing: it counts nowhere, and not as zero.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from statistics import fmean
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils import timezone

from zoetrope.studio.insights.models import Age, Reading
from zoetrope.studio.loras.models import Lora
from zoetrope.studio.making.models import MadeLora
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.planning.models import Use
from zoetrope.studio.planning.rhythm import rhythm_of
from zoetrope.studio.planning.slots import local
from zoetrope.studio.publishing.models import Post, PostPicture

SETTLED = (Age.WEEK, Age.DAYS)
"""The ages at which rates of posts are compared; the later named wins."""
MEMORY, MOST = timedelta(days=366), 500
"""An audience of years ago may have gone: so far back posts count, and no more than so many."""


@dataclass(frozen=True)
class Outcome:
    """One post: what tells it from others, and both rewards where they are known."""

    post: int
    at: datetime
    hour: int
    pillar: int | None
    format: str
    lora: str
    picture: str
    audience: float | None
    taste: float | None


@dataclass(frozen=True)
class Outcomes:
    """A persona's posts of the last year, the newest first, and how its LoRAs are called."""

    persona: Persona
    rows: tuple[Outcome, ...]
    loras: Mapping[str, str]
    zone: str

    @cached_property
    def measured(self) -> list[Outcome]:
        """Those of which the audience's reward is known."""
        return [each for each in self.rows if each.audience is not None]

    @property
    def full(self) -> bool:
        """Whether older posts of the year are left out."""
        return len(self.rows) >= MOST

    @cached_property
    def both(self) -> list[Outcome]:
        """Those of which both are."""
        return [each for each in self.measured if each.taste is not None]


def rewards(persona: Persona) -> dict[int, float]:
    """What its audience made of each of its posts, as the sampler learns from it."""
    return _rates(Reading.objects.filter(post__persona=persona, post__published__gt=timezone.now() - MEMORY))


def lately(persona: Persona, most: int) -> list[float]:
    """The rates of its newest posts, as far as they are known."""
    posts = Post.objects.filter(persona=persona, state=Post.State.PUBLISHED).order_by("-published")
    return list(_rates(Reading.objects.filter(post__in=posts.values("pk")[:most])).values())


def measured(persona: Persona) -> int:
    """How many of its posts were ever measured."""
    rows = Reading.objects.filter(post__persona=persona, age__in=SETTLED, rate__isnull=False)
    return rows.values("post").distinct().count()


def outcomes(persona: Persona, now: datetime | None = None) -> Outcomes:
    """Everything that is known of a persona's posts; a handful of queries for any number of them."""
    since, zone = (now or timezone.now()) - MEMORY, rhythm_of(persona).zone
    posts = Post.objects.filter(persona=persona, state=Post.State.PUBLISHED, published__gt=since)
    told = list(posts.order_by("-published").values_list("pk", "published", "pillar", "kind")[:MOST])
    since = told[-1][1] or since if told else since
    rates = _rates(Reading.objects.filter(post__persona=persona, post__published__gte=since))
    taste, shown = _taste(persona, since), _shown(persona, since)
    drawn, loras = _drawn(persona, [made for made, _ in shown.values()])
    where, rows = ZoneInfo(zone), []
    for key, at, pillar, kind in told:
        made, picture = shown.get(key, (0, ""))
        assert at is not None
        hour, lora = local(at, where).hour, drawn.get(made, "")
        rows.append(Outcome(key, at, hour, pillar, kind, lora, picture, rates.get(key), taste.get(key)))
    return Outcomes(persona, tuple(rows), loras, zone)


def _rates(readings: "QuerySet[Reading]") -> dict[int, float]:
    rows = readings.filter(age__in=SETTLED, rate__isnull=False).order_by("-age").values_list("post", "rate")
    return {post: rate for post, rate in rows if rate is not None}


def _taste(persona: Persona, since: datetime) -> dict[int, float]:
    """The mean of what votes made of a post's pictures; one that nobody voted on says nothing."""
    posts = Post.objects.filter(persona=persona, published__gte=since).values("pk")
    rows = Use.objects.filter(post__in=posts, kept__run__winner__deviation__isnull=False)
    found: dict[int, list[float]] = defaultdict(list)
    for post, utility in rows.values_list("post", "kept__run__winner__utility"):
        found[post].append(utility)
    return {post: fmean(utilities) for post, utilities in found.items()}


def _shown(persona: Persona, since: datetime) -> dict[int, tuple[int, str]]:
    """Each post's first picture."""
    rows = PostPicture.objects.filter(post__persona=persona, post__published__gte=since).order_by("-place", "-pk")
    return {post: (made, sha256) for post, made, sha256 in rows.values_list("post", "made", "made__sha256")}


def _drawn(persona: Persona, made: list[int]) -> tuple[dict[int, str], dict[str, str]]:
    """Which of the persona's own LoRAs drew each picture, and what these are called."""
    loras = {each.sha256: str(each) for each in Lora.objects.filter(space=persona.space_id, persona=persona)}
    rows = MadeLora.objects.filter(made__in=made, sha256__in=list(loras)).order_by("weight")
    return dict(rows.values_list("made", "sha256")), loras
