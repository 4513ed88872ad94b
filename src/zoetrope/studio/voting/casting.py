"""A vote is written down, and what all votes make of each picture is written onto it."""

from collections.abc import Collection, Sequence

from django.db import connection, transaction
from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.studio.pipelines.models import Candidate, Run, Step
from zoetrope.studio.spaces.models import User
from zoetrope.studio.voting.heats import SIZES, Answer, Heat, heat
from zoetrope.studio.voting.models import Vote

_LONGEST_LOOK = 24 * 60 * 60 * 1000


def cast(
    run: Run,
    step: Step,
    kind: Vote.Kind,
    members: Sequence[int],
    chosen: int | None,
    by: User | None,
    milliseconds: int = 0,
) -> Heat:
    """Take an answer; the heat as it is then."""
    with transaction.atomic():
        winner = _lock(run).winner_id
        before = heat(run, step)
        _check(before, kind, members, chosen)
        if kind == Vote.Kind.BAD and winner in members:
            raise UserError("One of these pictures is the run's winner: take that back first.")
        if kind == Vote.Kind.BAD:
            _move(run, members, Candidate.State.ACTIVE, Candidate.State.REJECTED)
        looked = min(max(0, milliseconds), _LONGEST_LOOK)
        said = {"kind": kind, "members": list(members), "chosen_id": chosen, "by": by, "milliseconds": looked}
        Vote.objects.create(run=run, step=step, **said)
        # Whoever was rejected stands otherwise now; else nothing but this answer is new.
        now = heat(run, step) if kind == Vote.Kind.BAD else before.after(Answer(kind, tuple(members), chosen, _key(by)))
        return _written(now)


def take_back(run: Run, step: Step, by: User) -> tuple[Vote, Heat]:
    """The voter's last answer that still stands is taken back: that vote, and the heat without it."""
    with transaction.atomic():
        _lock(run)
        own = Vote.objects.filter(run=run, step=step, by=by, undone=None).exclude(kind=Vote.Kind.UNDO)
        last = own.order_by("-pk").first()
        if last is None:
            raise UserError("You have no vote here that could be taken back.")
        Vote.objects.create(run=run, step=step, kind=Vote.Kind.UNDO, by=by, undoes=last)
        if last.kind == Vote.Kind.BAD:
            others = Vote.objects.filter(run=run, step=step, kind=Vote.Kind.BAD, undone=None).exclude(pk=last.pk)
            # What somebody else found bad as well stays away.
            bad = {member for members in others.values_list("members", flat=True) for member in members}
            _move(run, {*last.members} - bad, Candidate.State.REJECTED, Candidate.State.ACTIVE)
        return last, _written(heat(run, step))


def _lock(run: Run) -> Run:
    """Two votes on one run are counted one after the other; a run that ended takes none."""
    row = Run.objects.select_for_update().only("state", "name", "winner").get(pk=run.pk)
    if row.state in (Run.State.STOPPED, Run.State.FAILED):
        raise UserError(f"{row} is {row.state}: votes on it change nothing.")
    return row


def _check(before: Heat, kind: Vote.Kind, members: Sequence[int], chosen: int | None) -> None:
    known = len(set(members)) == len(members) and before.places.keys() >= set(members)
    if not known or not 2 <= len(members) <= max(SIZES):
        raise UserError("These pictures are not a screen of this step; nothing was recorded.")
    if kind == Vote.Kind.BEST and chosen not in members:
        raise UserError("The chosen picture was not on the screen; nothing was recorded.")
    if kind == Vote.Kind.UNDO or (kind != Vote.Kind.BEST and chosen is not None):
        raise UserError("An answer is the best of a screen, not sure, or none of them; nothing was recorded.")
    if any(before.candidates[before.places[member]].state != Candidate.State.ACTIVE for member in members):
        raise UserError("One of these pictures was rejected meanwhile; the next screen is without it.")


def _move(run: Run, members: Collection[int], here: Candidate.State, there: Candidate.State) -> None:
    """Something may grow again, or nothing more: who draws looks at the run once more."""
    Candidate.objects.filter(pk__in=list(members), state=here).update(state=there)
    Run.objects.filter(pk=run.pk, state=Run.State.RUNNING).update(wake=timezone.now())


def _key(by: User | None) -> int | None:
    return by.pk if by else None


def _written(now: Heat) -> Heat:
    """Who chooses parents reads a column and knows no votes."""
    believed = zip(now.belief.utilities.tolist(), now.belief.deviations.tolist(), now.candidates, strict=True)
    rows = [(utility, deviation, candidate.key) for utility, deviation, candidate in believed]
    table = connection.ops.quote_name(Candidate._meta.db_table)
    with connection.cursor() as cursor:
        # One statement for each of a few rows takes a tenth of what it takes Django to think of one for all.
        cursor.executemany(f"UPDATE {table} SET utility = %s, deviation = %s WHERE id = %s", rows)
    return now
