"""What came of posts: readings at fixed ages, what was learned from them, and pictures that the wheel could learn."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from zoetrope.studio.library.models import Kept
from zoetrope.studio.making.models import Made
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.pipelines.models import Moving
from zoetrope.studio.publishing.models import Channel, Post
from zoetrope.studio.spaces.models import User

METRICS = (
    "reach",
    "views",
    "likes",
    "comments",
    "saved",
    "shares",
    "follows",
    "profile_visits",
    "total_interactions",
)
"""What is counted, as accounts call it."""
NUMBERS = (*METRICS, "watched")
"""The same, and how many seconds of a reel were watched on average."""


class Age(models.IntegerChoices):
    """How many hours after it went out a post is read."""

    HOUR = 1, "1 hour"
    DAY = 24, "24 hours"
    DAYS = 72, "72 hours"
    WEEK = 168, "7 days"


class Reading(models.Model):
    """A post's numbers at one age. A number that nobody told is none: never zero."""

    class Source(models.TextChoices):
        """Who told the numbers."""

        ACCOUNT = "account", "told by the account"
        HAND = "hand", "typed in by hand"

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="readings")
    age = models.PositiveSmallIntegerField(choices=Age.choices)
    # When the numbers were told; none while there are none.
    at = models.DateTimeField(null=True)
    source = models.CharField(max_length=10, choices=Source.choices, blank=True)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    reach = models.PositiveBigIntegerField(null=True)
    views = models.PositiveBigIntegerField(null=True)
    likes = models.PositiveBigIntegerField(null=True)
    comments = models.PositiveBigIntegerField(null=True)
    saved = models.PositiveBigIntegerField(null=True)
    shares = models.PositiveBigIntegerField(null=True)
    follows = models.PositiveBigIntegerField(null=True)
    profile_visits = models.PositiveBigIntegerField(null=True)
    total_interactions = models.PositiveBigIntegerField(null=True)
    watched = models.FloatField(null=True)
    # Interactions for each one reached; none where either is not known, or nobody was reached.
    rate = models.FloatField(null=True)
    # When the account is asked (again); none where it is not, or not any more.
    wake = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["age"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["post", "age"], name="one_reading_an_age")]
        indexes = (
            models.Index(fields=["wake", "id"], condition=Q(wake__isnull=False), name="readings_wake"),
            models.Index(fields=["post", "age", "rate"], condition=Q(rate__isnull=False), name="readings_rate"),
        )

    def __str__(self) -> str:
        return f"{self.post_id} after {Age(self.age).label}"

    @property
    def numbers(self) -> dict[str, float | None]:
        """Everything that could be known of it."""
        return {name: getattr(self, name) for name in NUMBERS}


class Lack(models.Model):
    """What an account does not tell of posts of one kind; it is asked for again after some weeks."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="lacks")
    kind = models.CharField(max_length=10, choices=Post.Kind.choices)
    metrics = models.JSONField(default=list)
    # Why it tells nothing at all; empty where it tells something.
    refused = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["channel", "kind"], name="one_lack_a_kind")]


class Look(models.Model):
    """Once, all numbers of a persona were gone through for something to learn: every look leaves less for chance."""

    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="looks")
    number = models.PositiveIntegerField()
    # How many posts were measured by then, how many differences were looked at, and what was left for chance.
    measured = models.PositiveIntegerField()
    asked = models.PositiveIntegerField()
    level = models.FloatField()
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["persona", "number"], name="each_look_once")]


class Kind(models.TextChoices):
    """By what posts are told apart."""

    PILLAR = "pillar", "Pillar"
    HOUR = "hour", "Local hour"
    FORMAT = "format", "Format"
    LORA = "lora", "LoRA version"


class Learning(Moving):
    """A difference that is hardly chance: in force from when an owner approves it until it is taken back."""

    class State(models.TextChoices):
        """What people made of it."""

        PROPOSED = "proposed"
        APPROVED = "approved"
        REJECTED = "rejected"
        TAKEN_BACK = "taken back"

    MOVES: ClassVar = {
        State.PROPOSED: frozenset({State.APPROVED, State.REJECTED}),
        State.APPROVED: frozenset({State.TAKEN_BACK}),
        State.REJECTED: frozenset({State.PROPOSED}),
        State.TAKEN_BACK: frozenset({State.APPROVED}),
    }

    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="learnings")
    look = models.ForeignKey(Look, null=True, on_delete=models.SET_NULL, related_name="learnings")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    # Which of its kind: a pillar's number, an hour, a format, a LoRA's hash.
    key = models.CharField(max_length=64)
    # Whether it does better or worse than the persona's other posts.
    more = models.BooleanField()
    sentence = models.CharField(max_length=300)
    evidence = models.JSONField(default=dict)
    # What approving it changed, so that taking it back undoes just that.
    effect = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(null=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["persona", "kind", "key", "more"], name="learned_once")
        ]

    def __str__(self) -> str:
        return self.sentence


class Proposal(Moving):
    """A picture that its own persona could learn from in the wheel's next turn; a person says so or not."""

    class State(models.TextChoices):
        """What people made of it."""

        PROPOSED = "proposed"
        ACCEPTED = "accepted"
        DECLINED = "declined"

    MOVES: ClassVar = {
        State.PROPOSED: frozenset({State.ACCEPTED, State.DECLINED}),
        State.ACCEPTED: frozenset({State.PROPOSED}),
        State.DECLINED: frozenset({State.PROPOSED}),
    }

    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="proposals")
    made = models.ForeignKey(Made, on_delete=models.CASCADE, related_name="proposals")
    kept = models.ForeignKey(Kept, null=True, on_delete=models.SET_NULL, related_name="proposals")
    # The post that showed it, if one did.
    post = models.ForeignKey(Post, null=True, on_delete=models.SET_NULL, related_name="proposals")
    # Of the persona's LoRA that drew it, its name and hash.
    lora = models.CharField(max_length=100)
    lora_sha256 = models.CharField(max_length=64)
    # How it stands among the persona's pictures, by votes and by its audience; none where nobody knows.
    taste = models.FloatField(null=True)
    audience = models.FloatField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    # The wheel's round that learns from it.
    round = models.PositiveIntegerField(null=True)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(null=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["persona", "made"], name="proposed_once")]

    def __str__(self) -> str:
        return f"picture {self.made_id}"
