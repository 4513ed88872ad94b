"""A job as people see it. The row is the truth; the engine beneath only sees to it that somebody carries it out."""

from typing import Any

from django.db import models
from django.db.models.functions import Now


class State(models.TextChoices):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    LOST = "lost"
    STUCK = "stuck"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


MOVES: dict[State, frozenset[State]] = {
    State.WAITING: frozenset({State.RUNNING, State.CANCELLED, State.FAILED}),
    State.RUNNING: frozenset({State.WAITING, State.LOST, State.STUCK, State.DONE, State.FAILED, State.CANCELLED}),
    State.LOST: frozenset({State.WAITING, State.RUNNING, State.DONE, State.FAILED, State.CANCELLED}),
    State.STUCK: frozenset({State.WAITING, State.RUNNING, State.LOST, State.DONE, State.FAILED, State.CANCELLED}),
    State.DONE: frozenset(),
    State.FAILED: frozenset({State.WAITING}),
    State.CANCELLED: frozenset({State.WAITING}),
}
"""From each state, where a job may go."""

ENDED = frozenset({State.DONE, State.FAILED, State.CANCELLED})
"""States in which nobody works on a job or will."""

CARRIED = frozenset({State.RUNNING, State.LOST, State.STUCK})
"""States in which a worker has, or had, the job in hand."""


class IllegalMove(Exception):
    """A job was asked to go where its state does not lead."""


def sources(to: State) -> list[State]:
    """The states from which a job may go there."""
    return [state for state, targets in MOVES.items() if to in targets]


class Job(models.Model):
    """A piece of work. Its times are the database's own, so several machines agree on them."""

    key = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=60)
    title = models.CharField(max_length=200, blank=True)
    # Opaque here: whoever enqueues decides what it names, such as `space:3`.
    scope = models.CharField(max_length=60)
    args = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    stage = models.CharField(max_length=80, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=400, blank=True)
    # Tries since it was last handed in, and how often a try ended with its worker's death without any progress.
    attempts = models.PositiveSmallIntegerField(default=0)
    crashes = models.PositiveSmallIntegerField(default=0)
    # By stage, the furthest any try came: one that crashes ever at the same place makes no progress.
    reached = models.JSONField(default=dict)
    # Counts every workflow this job ever had; the latest is `key.round`.
    round = models.PositiveIntegerField(default=1)
    worker = models.CharField(max_length=120, blank=True)
    # Who may write results: a worker given up for dead that wakes again holds an old one.
    holder = models.CharField(max_length=32, blank=True)
    created = models.DateTimeField(db_default=Now())
    changed = models.DateTimeField(db_default=Now())
    due = models.DateTimeField(null=True)
    queued = models.DateTimeField(null=True)
    started = models.DateTimeField(null=True)
    heartbeat = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["scope", "state", "id"], name="jobs_scope_state"),
            models.Index(fields=["scope", "changed"], name="jobs_scope_changed"),
            models.Index(fields=["state", "id"], name="jobs_state"),
            models.Index(fields=["changed"], name="jobs_changed"),
        )

    def __str__(self) -> str:
        return self.title or self.key

    @property
    def workflow(self) -> str:
        """What the engine calls the present round."""
        return f"{self.key}.{self.round}"

    def move(self, to: State, *, held_by: str | None = None, **values: Any) -> None:
        """Go to another state and write values with it, in one statement; raises IllegalMove if it may not.

        With `held_by` only for as long as the job is in that holder's hands.
        """
        rows = Job.objects.filter(pk=self.pk, state__in=sources(to))
        if held_by is not None:
            rows = rows.filter(holder=held_by)
        ended = {"finished": Now()} if to in ENDED else {"finished": None}
        moved = rows.update(state=to, changed=Now(), **ended, **values)
        self.refresh_from_db()
        if not moved:
            raise IllegalMove(f"{self.key} is {self.state} and cannot become {to} now.")


class LogLine(models.Model):
    """What a job said, line by line. Lines are added and never changed; beyond a number the oldest go."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="lines")
    at = models.DateTimeField(db_default=Now())
    text = models.CharField(max_length=400)

    class Meta:
        indexes = (models.Index(fields=["at"], name="jobs_line_at"),)


class Worker(models.Model):
    """A worker process that lives, or was killed; one that stopped in peace takes its row away."""

    name = models.CharField(max_length=120, primary_key=True)
    device = models.CharField(max_length=60, blank=True)
    started = models.DateTimeField(db_default=Now())
    seen = models.DateTimeField(db_default=Now())
