"""How a persona's pillars stand: what each needs, has and lacks, when it runs dry, what is being made for it."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import OuterRef

from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.pipelines.growing import KIND as DRAWN
from zoetrope.studio.pipelines.models import Pipeline, Run
from zoetrope.studio.planning import uses
from zoetrope.studio.planning.forecast import Forecast, forecast
from zoetrope.studio.planning.gaps import Gap, Plan, gaps
from zoetrope.studio.planning.models import GapRun, Pillar, Rhythm
from zoetrope.studio.planning.rhythm import rhythm_of, today
from zoetrope.studio.spaces.models import Space
from zoetrope.studio.spaces.work import scope_of

# The engine's pace is told by the newest drawings among so many ended jobs.
_LOOKED = 100


@dataclass(frozen=True)
class Standing:
    """A current pillar, its gap, what is ahead of it, and how many runs for it wait for their winners."""

    pillar: Pillar
    gap: Gap
    ahead: Forecast
    under_way: int

    @property
    def lacking(self) -> int:
        """How many pictures nothing is being done about."""
        return max(0, self.gap.gap - self.under_way)

    @property
    def many(self) -> bool:
        """Whether there are as many as are counted, and maybe more."""
        return self.gap.plan.available >= uses.COUNTED


@dataclass(frozen=True)
class Outlook:
    """Where a persona's plan stands today; the thinnest pillar first."""

    rhythm: Rhythm
    today: date
    standings: tuple[Standing, ...]


def plans_of(pillars: Sequence[Pillar]) -> list[Plan]:
    """Pillars that were `counted`, as the sums of the plan take them."""
    names = ("name", "weight", "priority", "posts_per_week")
    return [
        Plan(key=each.pk, available=_there(each), **{name: getattr(each, name) for name in names}) for each in pillars
    ]


def current_plans(persona: Persona, rhythm: Rhythm, now: datetime | None = None) -> list[Plan]:
    """Today's pillars with what each has left."""
    return plans_of([each for each in _active(persona) if each.current(today(rhythm, now))])


def outlook(persona: Persona, pipeline: Pipeline | None = None, now: datetime | None = None) -> Outlook:
    """How everything stands; how long the engine would need is said for runs of that pipeline."""
    rhythm, day, pillars = _today(persona, now)
    plans = plans_of(list(pillars.values()))
    found = gaps(plans, rhythm.days, rhythm.posts_per_week)
    missing = any(each.gap > 0 for each in found)
    each, per_winner = (seconds_each(persona.space), pictures_of(pipeline)) if missing and pipeline else (None, 1)
    ahead = {told.plan.key: told for told in forecast(plans, day, rhythm.days, each, per_winner, rhythm.posts_per_week)}
    standings = (Standing(pillars[g.plan.key], g, ahead[g.plan.key], _coming(pillars[g.plan.key])) for g in found)
    return Outlook(rhythm, day, tuple(standings))


def thinnest(persona: Persona, most: int) -> list[tuple[Pillar, Gap, int]]:
    """So many pillars at most, those first that lack the most, and how many runs are under way for each."""
    rhythm, _, pillars = _today(persona, None)
    found = gaps(plans_of(list(pillars.values())), rhythm.days, rhythm.posts_per_week)
    shown = [(pillars[each.plan.key], each) for each in found[:most]]
    return [(pillar, gap, _coming(pillar)) for pillar, gap in shown]


def pictures_of(pipeline: Pipeline) -> int:
    """How many pictures a run draws until one wins, if nobody asks for more."""
    drawn = passed = 0
    for place, step in enumerate(pipeline.versions.all()[0].steps.all()):
        came = step.children * (passed if place else 1)
        drawn, passed = drawn + came, min(step.keep, came)
    return drawn


def seconds_each(space: Space) -> float | None:
    """What the engine took for a picture lately; None where it drew none."""
    done = jobs.Job.objects.filter(scope=scope_of(space), state=jobs.State.DONE).order_by("-pk")
    rows = done.values_list("kind", "started", "finished")[:_LOOKED]
    took = [(end - begin).total_seconds() for kind, begin, end in rows if kind == DRAWN and begin and end]
    return statistics.median(took) if took else None


def _today(persona: Persona, now: datetime | None) -> tuple[Rhythm, date, dict[int, Pillar]]:
    """The rhythm, which day it is, and that day's pillars."""
    active = _active(persona)
    # It came with the pillars; where there are none, nothing is planned by it.
    rhythm = getattr(active[0].persona, "rhythm", None) if active else rhythm_of(persona)
    rhythm = rhythm or Rhythm(persona=persona)
    day = today(rhythm, now)
    return rhythm, day, {each.pk: each for each in active if each.current(day)}


def _active(persona: Persona) -> list[Pillar]:
    rows = Pillar.objects.filter(persona=persona, retired=None).select_related("persona__rhythm", "persona__space")
    running = GapRun.objects.filter(pillar=OuterRef("pk"), run__state=Run.State.RUNNING)
    return list(uses.counted(rows).annotate(coming=uses.RowCount(running)))


def _there(pillar: Pillar) -> int:
    return int(pillar.there)  # type: ignore[attr-defined]


def _coming(pillar: Pillar) -> int:
    """How many runs for it wait for their winners."""
    return int(pillar.coming)  # type: ignore[attr-defined]
