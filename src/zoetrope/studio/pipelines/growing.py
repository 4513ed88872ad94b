"""What is drawn next: of the run that has waited longest, a child of a picture that a gate let through.

Only so much is asked for as the engines can take, so that a run that starts late waits for no long queue.
"""

import hashlib
import logging
import random
import time
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from itertools import pairwise
from math import exp

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.making import orders
from zoetrope.studio.making.models import Made
from zoetrope.studio.pipelines.models import Candidate, Run, Step, next_serving
from zoetrope.studio.pipelines.recipes import Moment, recipe_of
from zoetrope.studio.pipelines.steps import LOCAL
from zoetrope.studio.servers.drawing import check_space, room
from zoetrope.studio.spaces.work import scope_of

KIND, KIND_ELSEWHERE = "candidate", "candidate-elsewhere"
MOST_FAILURES = 3
# Beside the one in hand, another waits: an engine never idles between two.
_EACH_WORKER = 2
_SEEDS = 2**32


_log = logging.getLogger(__name__)


class Served(Enum):
    """What came of looking at a run."""

    ASKED = auto()
    NOTHING = auto()
    ENGINE_BUSY = auto()
    SERVERS_BUSY = auto()


@dataclass(frozen=True)
class Spot:
    """Where in a run's tree the next candidate grows."""

    step: Step
    parent: Candidate | None


def grow() -> int:
    """Ask for as many pictures as the engines can take; how many were asked for."""
    here = _EACH_WORKER * max(1, jobs.alive_workers().count())
    asked = 0
    # Their engines have enough to do just now, and their servers.
    full: set[int] = set()
    busy: set[int] = set()
    while True:
        with transaction.atomic():
            free = here - _under_way(LOCAL).count()
            run = hungriest(full, busy, free)
            if run is None:
                return asked
            served = _serve(run, free)
        asked += served is Served.ASKED
        if served in (Served.ENGINE_BUSY, Served.SERVERS_BUSY):
            full.add(run.pk)
        if served is Served.SERVERS_BUSY:
            busy.add(run.space_id)


def _under_way(engine: str) -> "QuerySet[Candidate]":
    return Candidate.objects.filter(state=Candidate.State.PENDING, step__engine=engine)


def hungriest(full: set[int], busy: set[int], free: int) -> Run | None:
    """The run that waits longest of those that may need something; nobody else serves it meanwhile.

    Of a space whose servers are busy, runs that need nobody else are passed over together.
    """
    here = Step.objects.filter(engine=LOCAL).values("version")
    waiting = Run.objects.select_for_update(skip_locked=True, of=("self",))
    waiting = waiting.filter(state=Run.State.RUNNING, wake__lte=timezone.now()).exclude(pk__in=full)
    waiting = waiting.exclude(~Q(version__in=here), space__in=busy)
    if free <= 0:
        waiting = waiting.filter(version__in=Step.objects.exclude(engine=LOCAL).values("version"))
    return waiting.select_related("persona", "space").order_by("served", "pk").first()


def _serve(run: Run, free: int) -> Served:
    """Ask for its next picture; when it needs none, it sleeps until somebody wakes it."""
    now = timezone.now()
    spot = spot_in(run, now)
    if spot is None:
        later = run.gates.filter(undone=None, opens__gt=now).order_by("opens").first()
        Run.objects.filter(pk=run.pk).update(wake=later.opens if later else None)
        return Served.NOTHING
    try:
        if spot.step.engine != LOCAL:
            check_space(run.space)
            if room(run.space, _under_way(spot.step.engine).filter(run__space=run.space).count()) <= 0:
                return Served.SERVERS_BUSY
        elif free <= 0:
            return Served.ENGINE_BUSY
        with transaction.atomic():
            _ask(run, spot)
    except (UserError, OSError) as error:
        # One run that cannot be drawn must not stand in the way of all others.
        told = str(error) if isinstance(error, UserError) else f"Its model cannot be read: {error.strerror}."
        run.move(Run.State.FAILED, error=told[:400], wake=None)
        return Served.NOTHING
    except Exception:
        # A fault of ours in one run must not end the drawing of all others either.
        _log.exception("run %s cannot be drawn", run.pk)
        run.move(Run.State.FAILED, error="Zoetrope failed at this run; its log says more.", wake=None)
        return Served.NOTHING
    return Served.ASKED


def spot_in(run: Run, now: datetime) -> Spot | None:
    """Drafts first; then under those that were let through, the better rated the likelier."""
    steps = list(run.version.steps.all())
    if run.failures < MOST_FAILURES and missing(run, steps[0]):
        return Spot(steps[0], None)
    open_gates = set(run.gates.filter(undone=None, opens__lte=now).values_list("step_id", flat=True))
    for before, step in pairwise(steps):
        if before.pk in open_gates and (parent := _parent(run, before, step)):
            return Spot(step, parent)
    return None


def missing(run: Run, step: Step) -> int:
    """How many of the first step's pictures are still to be asked for."""
    there = Candidate.objects.filter(run=run, step=step).exclude(state=Candidate.State.FAILED).count()
    return max(0, run.wanted(step) - there)


def _parent(run: Run, before: Step, step: Step) -> Candidate | None:
    """One of those that may have another child."""
    may = Candidate.objects.filter(run=run, step=before, state=Candidate.State.ACTIVE, gate__undone=None)
    may = may.filter(gate__isnull=False, children__lt=run.wanted(step), failures__lt=MOST_FAILURES)
    rated = list(may.values_list("pk", "utility"))
    if not rated:
        return None
    best = max(utility for _, utility in rated)
    # As a rating has it: of two, the better is drawn as often as it would be chosen.
    weights = [exp(utility - best) for _, utility in rated]
    chosen = random.choices([key for key, _ in rated], weights)[0]
    return Candidate.objects.select_related("made").get(pk=chosen)


def _ask(run: Run, spot: Spot) -> None:
    """A candidate, its order and its job, all or none."""
    candidate = Candidate.objects.create(run=run, step=spot.step, parent=spot.parent)
    digest = hashlib.sha256(f"{run.pk}-{candidate.pk}".encode()).digest()
    seed, chance = (int.from_bytes(digest[at : at + 4], "big") % _SEEDS for at in (0, 4))
    moment = Moment(seed=seed, chance=chance, now=time.time(), job=candidate.pk)
    recipe = recipe_of(run, spot.step, spot.parent.made if spot.parent else None, moment)
    candidate.order = orders.written(run.space, recipe, 1, run.by, run.persona)
    candidate.save(update_fields=["order"])
    if spot.parent:
        Candidate.objects.filter(pk=spot.parent.pk).update(children=F("children") + 1)
    Run.objects.filter(pk=run.pk).update(served=next_serving())
    title = f"{run}: {spot.step}"[:200]
    kind = KIND if spot.step.engine == LOCAL else KIND_ELSEWHERE
    jobs.enqueue(kind, candidate.key, {"candidate": candidate.pk}, scope=scope_of(run.space), title=title)


def arrived(candidate: Candidate, made: Made) -> None:
    """Its picture is there; told twice, it is the same."""
    with transaction.atomic():
        row = Candidate.objects.select_for_update().get(pk=candidate.pk)
        if row.made_id is not None:
            return
        late = row.state == Candidate.State.FAILED
        row.move(Candidate.State.ACTIVE, made=made)
        if late and row.parent_id:
            Candidate.objects.filter(pk=row.parent_id).update(children=F("children") + 1)


def missed(candidate: Candidate, error: str, counts: bool = True) -> None:
    """Its picture will not come; what it hung under may have another, unless too many failed there."""
    with transaction.atomic():
        row = Candidate.objects.select_for_update().get(pk=candidate.pk)
        if row.state != Candidate.State.PENDING:
            return
        row.move(Candidate.State.FAILED)
        if row.parent_id:
            failed = F("failures") + int(counts)
            Candidate.objects.filter(pk=row.parent_id).update(children=F("children") - 1, failures=failed)
        elif counts:
            Run.objects.filter(pk=row.run_id).update(failures=F("failures") + 1)
        told = {"error": error[:400]} if counts else {}
        Run.objects.filter(pk=row.run_id, state=Run.State.RUNNING).update(wake=timezone.now(), **told)
        _give_up(row.run_id)


def _give_up(run: int) -> None:
    """A run whose first step brought nothing, and will not."""
    alive = Candidate.objects.filter(run=run).exclude(state=Candidate.State.FAILED).exists()
    row = Run.objects.get(pk=run)
    if row.state == Run.State.RUNNING and row.failures >= MOST_FAILURES and not alive:
        row.move(Run.State.FAILED, wake=None)


def tend() -> None:
    """What became of pictures whose jobs ended without one; then on with what is to be drawn."""
    pending = list(Candidate.objects.filter(state=Candidate.State.PENDING))
    ended = (jobs.State.FAILED, jobs.State.CANCELLED)
    rows = jobs.Job.objects.filter(key__in=[each.key for each in pending], state__in=ended)
    told = {row.key: row for row in rows}
    for candidate in pending:
        if row := told.get(candidate.key):
            missed(candidate, row.error or f"A drawing was {row.state}.")
    grow()
