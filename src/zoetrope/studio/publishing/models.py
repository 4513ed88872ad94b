"""Channels, posts on their way through them, the ledger of every call; slots, feeds, and campaigns of posts."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from zoetrope.studio.making.models import Made
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.pipelines.models import Moving, Run
from zoetrope.studio.planning.models import Pillar
from zoetrope.studio.sealed import SealedField
from zoetrope.studio.spaces.models import Space, User


class Channel(models.Model):
    """A way out for one persona's posts: a folder on this machine, or an account elsewhere."""

    class Kind(models.TextChoices):
        """Where posts go."""

        OUTBOX = "outbox", "Outbox: folders ready to post by hand"
        INSTAGRAM = "instagram", "Instagram"

    class Login(models.TextChoices):
        """By which of its two doors an Instagram account was connected."""

        INSTAGRAM = "instagram", "with Instagram"
        FACEBOOK = "facebook", "with Facebook"

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="channels")
    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="channels")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.OUTBOX)
    name = models.CharField(max_length=60)
    login = models.CharField(max_length=10, choices=Login.choices, blank=True)
    # The account's number there.
    account = models.CharField(max_length=40, blank=True)
    token = SealedField()
    token_made = models.DateTimeField(null=True)
    token_ends = models.DateTimeField(null=True)
    version = models.CharField(max_length=10, default="v26.0")
    # Why nothing goes out until a person has seen to it; empty when all is well.
    error = models.CharField(max_length=300, blank=True)
    # Until when the account asked to be left alone.
    rests = models.DateTimeField(null=True)
    retired = models.DateTimeField(null=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            # Two would not know of each other's posts.
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(kind="instagram", retired=None) & ~Q(account=""),
                name="one_channel_an_account",
            )
        ]

    def __str__(self) -> str:
        return self.name


class SlotRow(models.Model):
    """A time at which a persona posts every week, by its own clocks; as long as it has none, the defaults hold."""

    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="slots")
    # Monday is 0.
    weekday = models.PositiveSmallIntegerField()
    clock = models.TimeField()

    class Meta:
        ordering: ClassVar = ["weekday", "clock"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["persona", "weekday", "clock"], name="one_slot_a_time"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="slot_on_a_weekday"),
        ]


class Feed(models.Model):
    """What opens a persona's calendar to other programs; its owners are told it whenever they ask."""

    persona = models.OneToOneField(Persona, on_delete=models.CASCADE, related_name="feed")
    token = SealedField()
    made = models.DateTimeField(auto_now=True)


class Post(Moving):
    """What is to be seen, where and when; and how far it has come on its way there."""

    class Kind(models.TextChoices):
        """What it is at the other end."""

        IMAGE = "image"
        CAROUSEL = "carousel"
        REEL = "reel"
        STORY = "story"

    class State(models.TextChoices):
        """Where a post stands. From `publishing` on it may be live: nothing may send it as a new one."""

        DRAFT = "draft"
        SCHEDULED = "scheduled"
        CLAIMED = "claimed"
        CONTAINERS = "containers"
        READY = "ready"
        PUBLISHING = "publishing"
        UNCONFIRMED = "unconfirmed"
        PUBLISHED = "published"
        FAILED = "failed"

    MOVES: ClassVar = {
        State.DRAFT: frozenset({State.SCHEDULED}),
        State.SCHEDULED: frozenset({State.CLAIMED, State.DRAFT}),
        # Before anything was published, a fault of its content sends it back to people.
        State.CLAIMED: frozenset({State.CONTAINERS, State.FAILED, State.SCHEDULED, State.DRAFT}),
        State.CONTAINERS: frozenset({State.READY, State.CLAIMED, State.FAILED, State.UNCONFIRMED, State.DRAFT}),
        State.READY: frozenset({State.PUBLISHING, State.CLAIMED, State.FAILED, State.UNCONFIRMED, State.DRAFT}),
        State.PUBLISHING: frozenset({State.PUBLISHED, State.UNCONFIRMED}),
        # The same container once more, or a person's word that it never appeared.
        State.UNCONFIRMED: frozenset({State.PUBLISHED, State.PUBLISHING, State.FAILED}),
        State.PUBLISHED: frozenset(),
        State.FAILED: frozenset({State.DRAFT, State.SCHEDULED}),
    }
    WAITING: ClassVar = (State.SCHEDULED, State.CLAIMED, State.CONTAINERS, State.READY)
    """It surely is not live: it can still be changed, moved or taken back."""
    MOVING: ClassVar = (*WAITING, State.PUBLISHING, State.UNCONFIRMED)
    """Something is still to be done about it without anybody's doing."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="posts")
    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="posts")
    channel = models.ForeignKey(Channel, null=True, on_delete=models.SET_NULL, related_name="posts")
    pillar = models.ForeignKey(Pillar, null=True, on_delete=models.SET_NULL, related_name="posts")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.IMAGE)
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT)
    caption = models.TextField(blank=True)
    hashtags = models.JSONField(default=list)
    comment = models.TextField(blank=True)
    labelled = models.BooleanField(default=True)
    due = models.DateTimeField(null=True)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    # Why this picture, why then: what a strategy said when it chose.
    why = models.JSONField(default=dict)
    # Whoever carries it on now, until when nobody else does, and when there is something to do next.
    holder = models.CharField(max_length=32, blank=True)
    lease = models.DateTimeField(null=True)
    wake = models.DateTimeField(null=True)
    turns = models.PositiveIntegerField(default=0)
    # What the channel called its parts, the whole, and when; none of them is the post.
    parts = models.JSONField(default=list)
    container = models.CharField(max_length=200, blank=True)
    contained = models.DateTimeField(null=True)
    polls = models.PositiveIntegerField(default=0)
    # Containers that came to nothing, and, in a row, calls that were not answered.
    tries = models.PositiveIntegerField(default=0)
    delays = models.PositiveIntegerField(default=0)
    # Stored before the call: from then on it may be live.
    began = models.DateTimeField(null=True)
    media = models.CharField(max_length=200, blank=True)
    link = models.CharField(max_length=300, blank=True)
    published = models.DateTimeField(null=True)
    commented = models.BooleanField(default=False)
    error = models.CharField(max_length=400, blank=True)
    # Only a person can tell what became of it, or mend it.
    asks = models.BooleanField(default=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["channel", "media"], condition=~Q(media=""), name="one_post_a_media")
        ]
        indexes = (
            models.Index(fields=["wake", "id"], condition=Q(wake__isnull=False), name="posts_wake"),
            models.Index(fields=["persona", "due"], name="posts_persona_due"),
            models.Index(fields=["channel", "published"], name="posts_channel_published"),
        )

    def __str__(self) -> str:
        return self.caption.partition("\n")[0][:60] or f"post {self.pk}"

    @property
    def text(self) -> str:
        """As it is read at the other end: the caption, then the hashtags."""
        tags = " ".join(f"#{tag}" for tag in self.hashtags)
        return "\n\n".join(part for part in (self.caption.strip(), tags) if part)

    @property
    def by_hand(self) -> bool:
        """It lies in the outbox: somebody posts it from there."""
        outbox = self.channel is not None and self.channel.kind == Channel.Kind.OUTBOX
        return outbox and self.state == self.State.PUBLISHED


class PostPicture(models.Model):
    """One picture of a post, and what is cut away of it."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="pictures")
    made = models.ForeignKey(Made, on_delete=models.RESTRICT, related_name="posted")
    place = models.PositiveSmallIntegerField(default=0)
    # Left, top, width and height as shares; nothing for as much as the channel takes.
    crop = models.JSONField(null=True)
    alt = models.CharField(max_length=1000, blank=True)

    class Meta:
        ordering: ClassVar = ["place", "pk"]


class Thrown(models.Model):
    """A draft that somebody threw away, for as long as it can be brought back."""

    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="+")
    # The number that it had, its rows as they were, and the campaign's idea that it was.
    post = models.BigIntegerField(unique=True)
    rows = models.TextField()
    # Of its calls in the ledger, which stays.
    entries = models.JSONField(default=list)
    idea = models.BigIntegerField(null=True)
    at = models.DateTimeField(db_index=True)


class TakenTable(models.Model):
    """A table that was taken in, for as long as that can be undone."""

    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="+")
    # How its posts looked afterwards, by their numbers, and the lines of those that it changed, as they were.
    stamps = models.JSONField()
    before = models.JSONField()
    at = models.DateTimeField(db_index=True)


class Entry(models.Model):
    """One call that was made for a post, as it came out. Entries are added and never changed."""

    class Outcome(models.TextChoices):
        """How a call ended."""

        DONE = "done"
        REFUSED = "refused"
        # No answer: it may have been carried out or not.
        LOST = "lost"

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="entries")
    post = models.ForeignKey(Post, null=True, on_delete=models.SET_NULL, related_name="entries")
    call = models.CharField(max_length=40)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    status = models.PositiveSmallIntegerField(null=True)
    code = models.IntegerField(null=True)
    subcode = models.IntegerField(null=True)
    note = models.CharField(max_length=300, blank=True)
    milliseconds = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-pk"]
        indexes = (
            models.Index(fields=["channel", "-id"], name="entries_channel"),
            models.Index(fields=["channel", "outcome", "-id"], name="entries_outcome"),
            models.Index(fields=["channel", "call", "-id"], condition=Q(post__isnull=True), name="entries_account"),
        )


class Campaign(models.Model):
    """Posts about one thing between two days: from a brief over ideas to posts with pictures."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="campaigns")
    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="campaigns")
    name = models.CharField(max_length=80)
    about = models.TextField(max_length=2000)
    # Days of the persona's own zone, both included.
    starts = models.DateField()
    ends = models.DateField()
    # As many as are wanted.
    posts = models.PositiveSmallIntegerField()
    pillars = models.ManyToManyField(Pillar, related_name="campaigns", blank=True)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    # Nothing more is begun for it; what was begun goes on.
    ended = models.DateTimeField(null=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return self.name


class CampaignIdea(Moving):
    """What one of a campaign's posts could show; chosen, it has a post, which waits for the winner of its run."""

    class State(models.TextChoices):
        """What people made of it."""

        PENDING = "pending"
        CHOSEN = "chosen"
        REJECTED = "rejected"

    MOVES: ClassVar = {
        State.PENDING: frozenset({State.CHOSEN, State.REJECTED}),
        State.CHOSEN: frozenset({State.PENDING}),
        State.REJECTED: frozenset({State.PENDING}),
    }

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="ideas")
    pillar = models.ForeignKey(Pillar, null=True, on_delete=models.SET_NULL, related_name="+")
    title = models.CharField(max_length=120)
    description = models.TextField(blank=True, max_length=2000)
    prompt = models.TextField(max_length=2000)
    # Who wrote it, as its writer calls itself.
    by = models.CharField(max_length=120)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    # None again where somebody threw it away.
    post = models.OneToOneField(Post, null=True, on_delete=models.SET_NULL, related_name="campaign_idea")
    run = models.OneToOneField(Run, null=True, on_delete=models.SET_NULL, related_name="campaign_idea")
    # The winner that its post was given: it is not given twice, whoever takes it out.
    filled = models.ForeignKey(Made, null=True, on_delete=models.SET_NULL, related_name="+")
    # The job that it was written for, and its number there: called again after a crash, that writes none twice.
    job = models.CharField(max_length=120, blank=True)
    place = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "place"], condition=~Q(job=""), name="one_campaign_idea_a_place")
        ]

    def __str__(self) -> str:
        return self.title


def changed(post: Post, holder: str, states: "tuple[str, ...]", **values: Any) -> bool:
    """Write to a post that is still held and still so; false where somebody else has it by now."""
    there = Post.objects.filter(pk=post.pk, holder=holder, state__in=states)
    if not there.update(**values):
        return False
    for name, value in values.items():
        setattr(post, name, value)
    return True
