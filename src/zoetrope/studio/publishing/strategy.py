"""From free pictures to drafts: a persona's strategy chooses, and each draft keeps the card that says why."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from math import ceil, floor
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from zoetrope.media.kinds import MediaKind
from zoetrope.studio.library.models import Kept
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.planning.cadence import Cadence
from zoetrope.studio.planning.models import Cluster, Pillar, Rhythm, Use
from zoetrope.studio.planning.rhythm import Best, best_hours, hours_of, rhythm_of
from zoetrope.studio.planning.slots import local
from zoetrope.studio.planning.standing import active_plans
from zoetrope.studio.planning.strategies import Choice, Option, Past, Settings, Strategy, strategy_named
from zoetrope.studio.publishing import desk, shelf, slotting
from zoetrope.studio.publishing.checks import reels
from zoetrope.studio.publishing.models import Post
from zoetrope.studio.spaces.models import User

MOST_AT_ONCE, DAYS, MOST_DAYS = 21, 7, 28
REWARDS: list[Callable[[Persona], Mapping[int, float]]] = []
"""Whoever measures what became of posts adds itself: rewards by the numbers of the persona's posts."""
_MEMORY = timedelta(days=366)
# Hours. Who posts every day or more often has slots, which are spread already; the first free hours would crowd.
_DAY, _WEEK, _DAILY = 24.0, 168.0, 7
_FORMATS = {MediaKind.image.value: Post.Kind.IMAGE.value, MediaKind.clip.value: Post.Kind.REEL.value}
# What votes said of a kept picture, which is nothing where nobody voted.
_RATING, _VOTED = "run__winner__utility", "run__winner__deviation"
# A picture that has left the library.
_GONE = 0


@dataclass
class Ground:
    """All that a persona's strategy chooses from; what was chosen is past for the next choice."""

    persona: Persona
    rhythm: Rhythm
    strategy: Strategy
    settings: Settings
    options: list[Option]
    past: list[Past]
    # By what chance rolls, for the next choice; it only grows.
    seed: int

    @cached_property
    def best(self) -> Best:
        """What was taught of the persona's hours."""
        return best_hours(self.persona)

    def choose(self, now: datetime) -> tuple[Choice, dict[str, Any]] | None:
        """The next post, and its card."""
        seed, self.seed = self.seed, self.seed + 1
        choice = self.strategy.choose(self.options, self.past, now, seed, self.settings)
        if choice is None:
            return None
        option = choice.option
        self.past.append(Past(choice.at, option.kept, option.pillar, option.clusters, option.format, option.rating))
        hour = local(choice.at, self.settings.cadence.zone).hour
        # Where there are slots, they say when.
        taught = [] if self.settings.slots else self.best.rules(hour)
        return choice, card(self.strategy, choice, len(self.options), seed, taught)


def plan(persona: Persona, by: User | None, days: int = DAYS, now: datetime | None = None) -> list[Post]:
    """Drafts for the next days, as many as a click may make; fewer where pictures or free times run out."""
    with transaction.atomic():
        # Of two who plan at once the second one sees what the first has planned.
        Persona.objects.select_for_update().get(pk=persona.pk)
        return _planned(persona, by, days, now or timezone.now())


def _planned(persona: Persona, by: User | None, days: int, now: datetime) -> list[Post]:
    ground, until = ground_of(persona, now), now + timedelta(days=min(days, MOST_DAYS))
    chosen: list[tuple[Choice, dict[str, Any]]] = []
    while len(chosen) < MOST_AT_ONCE and (found := ground.choose(now)) and found[0].at <= until:
        chosen.append(found)
    pillars = Pillar.objects.filter(persona=persona).in_bulk()
    kept = Kept.objects.select_related("made").in_bulk([choice.option.kept for choice, _ in chosen])
    return [
        desk.draft(
            persona,
            [kept[choice.option.kept]],
            by,
            due=choice.at,
            pillar=pillars.get(choice.option.pillar or 0),
            why=why,
        )
        for choice, why in chosen
    ]


def ground_of(persona: Persona, now: datetime) -> Ground:
    """How things stand for a persona."""
    rhythm = rhythm_of(persona)
    plans = tuple(active_plans(persona))
    often = rhythm.posts_per_week >= _DAILY
    slots = slotting.week(rhythm) if often else slotting.own(persona)
    settings = Settings(cadence_of(rhythm), plans, slots=slots)
    clusters = _clusters(persona)
    rewards: dict[int, float] = {}
    for told in REWARDS:
        rewards |= told(persona)
    strategy = strategy_named(rhythm.strategy)
    known = past(persona, clusters, rewards, now)
    newest = Post.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return Ground(persona, rhythm, strategy, settings, options(persona, clusters), known, newest)


def cadence_of(rhythm: Rhythm) -> Cadence:
    """How a persona posts that posts so often a week, at its best hours."""
    often = rhythm.posts_per_week
    apart = _DAY if 1 <= often < _DAILY else _WEEK / often if often < 1 else 1.0
    return Cadence(ZoneInfo(rhythm.zone), floor(often), ceil(often), apart, hours_of(rhythm).spans)


def options(persona: Persona, clusters: Mapping[int, frozenset[int]]) -> list[Option]:
    """Its free pictures and clips, once for each pillar that they serve."""
    serves = _serves(persona)
    # What is no reel is left for people, who can post some of it as a story.
    rows = shelf.free(persona).exclude(Q(made__media=MediaKind.clip) & ~reels("made__")).order_by("pk")
    told = rows.values_list("pk", _RATING, _VOTED, "made__media")
    found = []
    for kept, utility, voted, media in told.iterator(chunk_size=10_000):
        lies = clusters.get(kept, frozenset())
        pillars: set[int | None] = {each for cluster in lies for each in serves[cluster]}
        rating, format = None if voted is None else utility, _FORMATS[media]
        found += [Option(kept, pillar, lies, rating, format) for pillar in pillars or {None}]
    return found


def past(
    persona: Persona, clusters: Mapping[int, frozenset[int]], rewards: Mapping[int, float], now: datetime
) -> list[Past]:
    """Its posts of the last year and those to come, by what they show."""
    rows = Post.objects.filter(persona=persona).exclude(state=Post.State.FAILED)
    rows = rows.annotate(at=Coalesce("published", "due")).filter(at__gt=now - _MEMORY).order_by("at")
    told = list(rows.values_list("pk", "at", "pillar", "kind"))
    shown: dict[int, list[tuple[int, float | None]]] = defaultdict(list)
    uses = Use.objects.filter(post__in=rows.order_by().values("pk"), kept__isnull=False)
    for post, kept, utility, voted in uses.values_list("post", "kept", f"kept__{_RATING}", f"kept__{_VOTED}"):
        shown[post].append((kept or _GONE, None if voted is None else utility))
    return [
        _past(at, pillar, kind, shown[post] or [(_GONE, None)], clusters, rewards.get(post))
        for post, at, pillar, kind in told
    ]


def _past(
    at: datetime,
    pillar: int | None,
    kind: str,
    shown: list[tuple[int, float | None]],
    clusters: Mapping[int, frozenset[int]],
    reward: float | None,
) -> Past:
    """A post by its first picture, and by the clusters of all of them."""
    kept, rating = shown[0]
    lies = frozenset[int]().union(*(clusters.get(each, frozenset()) for each, _ in shown))
    return Past(at, kept, pillar, lies, kind, rating, reward)


def card(strategy: Strategy, choice: Choice, among: int, seed: int, taught: Sequence[str] = ()) -> dict[str, Any]:
    """Why this picture, why then, what was taught of the hour, and what came next: as a post keeps it."""
    return {
        "strategy": strategy.name,
        "about": strategy.about,
        "at": choice.at.isoformat(),
        "among": among,
        "seed": seed,
        "kept": choice.option.kept,
        "rating": choice.option.rating,
        "rules": [*choice.rules, *taught],
        "relaxed": [str(each) for each in choice.relaxed],
        "next": [{"kept": option.kept, "why": why} for option, why in choice.runners_up],
    }


def _clusters(persona: Persona) -> dict[int, frozenset[int]]:
    """The clusters of each picture that lies in any of the persona's."""
    lying = Cluster.kept.through.objects.filter(cluster__persona=persona, cluster__gone=None)
    found: dict[int, set[int]] = defaultdict(set)
    for kept, cluster in lying.values_list("kept", "cluster").iterator(chunk_size=10_000):
        found[kept].add(cluster)
    # The same few sets for tens of thousands of pictures.
    known: dict[frozenset[int], frozenset[int]] = {}
    return {kept: known.setdefault(frozenset(each), frozenset(each)) for kept, each in found.items()}


def _serves(persona: Persona) -> dict[int, set[int]]:
    """The pillars that each of the persona's clusters serves."""
    found: dict[int, set[int]] = defaultdict(set)
    rows = Cluster.pillars.through.objects.filter(cluster__persona=persona, pillar__retired=None)
    for cluster, pillar in rows.values_list("cluster", "pillar"):
        found[cluster].add(pillar)
    return found
