"""A run as pages and programs tell it: where it stands, and its tree."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from zoetrope.studio.making.models import key_of
from zoetrope.studio.making.store import preview_of
from zoetrope.studio.pipelines.models import Candidate, Gate, Run, Step
from zoetrope.studio.pipelines.runs import complete

DOUBTS: "list[Callable[[Step, Sequence[Candidate]], str]]" = []
"""What apps above know against opening a gate now: a sentence, or nothing."""
DRAWING, CHOOSING = "drawing", "choosing"


@dataclass
class Node:
    """A candidate, and what grew from it."""

    candidate: Candidate
    grown: "list[Node]" = field(default_factory=list)

    @property
    def preview(self) -> int | None:
        """When its picture on the way was shown last, where its engine shows one."""
        if self.candidate.state != Candidate.State.PENDING or self.candidate.order_id is None:
            return None
        try:
            return preview_of(key_of(self.candidate.order_id)).stat().st_mtime_ns
        except OSError:
            return None


@dataclass(frozen=True)
class Stage:
    """A step of a run: what came of it, and what it waits for."""

    step: Step
    gate: Gate | None
    drawn: int
    expected: int
    alive: tuple[Candidate, ...]
    passed: int
    begun: bool
    """Whether something behind its gate is drawn: then nobody takes that back."""
    complete: bool
    last: bool

    @property
    def waits(self) -> bool:
        """Whether it is for people to choose."""
        return self.complete and self.gate is None and bool(self.alive)

    @property
    def only(self) -> Candidate | None:
        """The one that is left, where there is nothing to choose between."""
        return self.alive[0] if len(self.alive) == 1 else None

    @property
    def doubt(self) -> str:
        """What stands against letting the best of it go on now."""
        return " ".join(filter(None, (doubt(self.step, self.alive) for doubt in DOUBTS)))


def stages(run: Run, candidates: list[Candidate]) -> list[Stage]:
    """Every step that was begun."""
    steps = list(run.version.steps.all())
    gates = {gate.step_id: gate for gate in run.gates.filter(undone=None)}
    found: list[Stage] = []
    for step in steps:
        mine = [each for each in candidates if each.step_id == step.pk]
        before = found[-1] if found else None
        if before is not None and before.gate is None:
            break
        drawn = [each for each in mine if each.made_id is not None]
        found.append(
            Stage(
                step=step,
                gate=gates.get(step.pk),
                drawn=len(drawn),
                expected=run.wanted(step) * (before.passed if before else 1),
                alive=tuple(each for each in drawn if each.state == Candidate.State.ACTIVE),
                begun=any(each.made_id is not None and each.step.place == step.place + 1 for each in candidates),
                passed=sum(each.gate_id is not None for each in mine),
                complete=complete(run, step, candidates),
                last=step.pk == steps[-1].pk,
            )
        )
    return found


def tree(candidates: list[Candidate]) -> list[Node]:
    """The drafts, each with what grew from it; what failed is told in a sentence and takes no place."""
    nodes = {each.pk: Node(each) for each in candidates if each.state != Candidate.State.FAILED}
    roots = []
    for node in nodes.values():
        if node.candidate.parent_id is None:
            roots.append(node)
        elif node.candidate.parent_id in nodes:
            nodes[node.candidate.parent_id].grown.append(node)
    return roots


def moves(run: Run, candidates: list[Candidate]) -> bool:
    """Whether something of it will be drawn without anybody's doing."""
    coming = any(each.state == Candidate.State.PENDING for each in candidates)
    return run.state == Run.State.RUNNING and (coming or run.wake is not None)


def coming(runs: Collection[Run]) -> set[int]:
    """Those of them with a picture on its way."""
    pending = Candidate.objects.filter(run__in=runs, state=Candidate.State.PENDING)
    return set(pending.order_by().values_list("run", flat=True).distinct())


def standing(run: Run, coming: Collection[int]) -> str:
    """In two words, for lists; of those with a picture on its way it is said here."""
    if run.state != Run.State.RUNNING:
        return "winner chosen" if run.winner_id else run.state
    return DRAWING if run.wake is not None or run.pk in coming else CHOOSING
