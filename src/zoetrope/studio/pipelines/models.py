"""Pipelines in their versions, runs of them, and the tree of candidates that a run grows."""

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from zoetrope.ranking.scale import interval, score
from zoetrope.studio.making.models import Made, Order
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.spaces.models import Space, User


class Pipeline(models.Model):
    """Steps from a prompt to a picture worth keeping, by a name."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="pipelines")
    name = models.CharField(max_length=80)
    about = models.CharField(max_length=300, blank=True)
    created = models.DateTimeField(auto_now_add=True)
    # Out of sight; its runs stay.
    retired = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class Version(models.Model):
    """A pipeline's steps as they were at some time: what ran with them stays with them."""

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["pipeline", "number"], name="one_version_a_number")]

    def __str__(self) -> str:
        return f"{self.pipeline} v{self.number}"


class Step(models.Model):
    """One step of a version: what an engine is asked for, and how many pictures grow from each before it."""

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="steps")
    place = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=40)
    engine = models.CharField(max_length=20)
    # As its engine's own form says it: steps.py.
    template = models.JSONField()
    children = models.PositiveSmallIntegerField(default=3)
    # So many go on to the next step unless somebody says otherwise.
    keep = models.PositiveSmallIntegerField(default=3)

    class Meta:
        ordering: ClassVar = ["place"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["version", "place"], name="one_step_a_place")]

    def __str__(self) -> str:
        return self.name


class IllegalMove(Exception):
    """Something was asked to go where its state does not lead."""


class Moving(models.Model):
    """A row with a state that changes along known ways only."""

    MOVES: ClassVar[dict[str, frozenset[str]]]

    class Meta:
        abstract = True

    def move(self, to: str, **values: Any) -> Self:
        """Go there and write values with it, in one statement; IllegalMove where the state does not lead there."""
        leading = [state for state, targets in self.MOVES.items() if to in targets]
        moved = type(self)._default_manager.filter(pk=self.pk, state__in=leading).update(state=to, **values)
        self.refresh_from_db()
        if not moved:
            raise IllegalMove(f"{self} is {self.state} and cannot become {to} now.")  # type: ignore[attr-defined]
        return self


class Run(Moving):
    """One going through a pipeline's version: its persona, its prompt, and how far it has come."""

    class State(models.TextChoices):
        """Where a run stands; what it waits for follows from its candidates and gates."""

        RUNNING = "running"
        DONE = "done"
        STOPPED = "stopped"
        FAILED = "failed"

    MOVES: ClassVar = {
        State.RUNNING: frozenset({State.DONE, State.STOPPED, State.FAILED}),
        State.DONE: frozenset({State.RUNNING}),
        State.STOPPED: frozenset({State.RUNNING}),
        State.FAILED: frozenset({State.RUNNING}),
    }

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="runs")
    version = models.ForeignKey(Version, on_delete=models.RESTRICT, related_name="runs")
    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="runs")
    name = models.CharField(max_length=80)
    # By name, `prompt` among them.
    variables = models.JSONField(default=dict)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    # From when on something of it may have to be drawn; none while it waits for people, who wake it.
    wake = models.DateTimeField(null=True, default=timezone.now)
    # When the scheduler gave it something last; the one that waits longest comes next.
    served = models.PositiveBigIntegerField(default=0)
    # By a step's place, how many more of its pictures somebody asked for: of each that went on, after the first step.
    more = models.JSONField(default=dict)
    # Pictures of the first step that could not be drawn.
    failures = models.PositiveSmallIntegerField(default=0)
    # Why something of it was not drawn, for whoever looks.
    error = models.CharField(max_length=400, blank=True)
    winner = models.ForeignKey("Candidate", null=True, on_delete=models.SET_NULL, related_name="+")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        indexes = (
            models.Index(fields=["served", "id"], condition=Q(wake__isnull=False), name="runs_awake"),
            models.Index(fields=["space", "-id"], name="runs_space"),
            models.Index(fields=["persona", "-id"], name="runs_persona"),
            models.Index(fields=["persona", "state", "id"], name="runs_at_work"),
        )

    def __str__(self) -> str:
        return self.name

    def wanted(self, step: Step) -> int:
        """How many pictures of a step are drawn under each that went on."""
        return step.children + int(self.more.get(str(step.place), 0))


class Gate(models.Model):
    """Somebody let the best of a step go on. It can be taken back until the first job behind it starts."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="gates")
    step = models.ForeignKey(Step, on_delete=models.RESTRICT, related_name="+")
    keep = models.PositiveSmallIntegerField()
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    at = models.DateTimeField(auto_now_add=True)
    # Nothing behind it starts before: so long can it surely be taken back.
    opens = models.DateTimeField()
    undone = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "step"], condition=Q(undone=None), name="one_gate_a_step")
        ]


class Candidate(Moving):
    """A picture that a run asked for; those of a later step hang under the one that they grew from."""

    class State(models.TextChoices):
        """Where a candidate stands."""

        PENDING = "pending"
        ACTIVE = "active"
        REJECTED = "rejected"
        FAILED = "failed"

    MOVES: ClassVar = {
        State.PENDING: frozenset({State.ACTIVE, State.FAILED}),
        State.ACTIVE: frozenset({State.REJECTED}),
        State.REJECTED: frozenset({State.ACTIVE}),
        # Its job was given another try.
        State.FAILED: frozenset({State.ACTIVE}),
    }

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="candidates")
    step = models.ForeignKey(Step, on_delete=models.RESTRICT, related_name="candidates")
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="grown")
    order = models.OneToOneField(Order, null=True, on_delete=models.SET_NULL, related_name="candidate")
    made = models.ForeignKey(Made, null=True, on_delete=models.SET_NULL, related_name="candidates")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    # The gate that let it go on.
    gate = models.ForeignKey(Gate, null=True, on_delete=models.SET_NULL, related_name="passed")
    # Those that grew from it and have not failed, and those that have.
    children = models.PositiveSmallIntegerField(default=0)
    failures = models.PositiveSmallIntegerField(default=0)
    # What votes make of it; whoever counts them writes it here.
    utility = models.FloatField(default=0.0)
    deviation = models.FloatField(null=True)

    class Meta:
        ordering: ClassVar = ["pk"]
        indexes = (
            models.Index(fields=["run", "step", "id"], name="candidates_run_step"),
            models.Index(fields=["id"], condition=Q(state="pending"), name="candidates_pending"),
        )

    def __str__(self) -> str:
        return f"candidate {self.pk}"

    @property
    def key(self) -> str:
        """Its job's key."""
        return f"candidate-{self.pk}"

    @property
    def score(self) -> str:
        """What votes make of it, as people read it; empty while nobody voted."""
        if self.deviation is None:
            return ""
        low, high = interval(self.utility, self.deviation)
        return f"{score(self.utility):.0f}, probably {low:.0f} to {high:.0f}"


def next_serving() -> int:
    """The next number in the order of serving."""
    return int(Run.objects.aggregate(last=models.Max("served"))["last"] or 0) + 1
