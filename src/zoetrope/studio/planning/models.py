"""What a persona posts about: pillars, clusters of kept pictures, what was used up, ideas, the rhythm of it all."""

from datetime import date
from typing import ClassVar

from django.db import models
from django.db.models import Q

from zoetrope.studio.library.models import Kept
from zoetrope.studio.making.models import Made
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.pipelines.models import Moving, Run
from zoetrope.studio.spaces.models import Space, User

LONGEST_NAME = 60


class Pillar(models.Model):
    """A subject that a persona posts about, and how much of its posts it takes."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="pillars")
    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="pillars")
    name = models.CharField(max_length=LONGEST_NAME)
    # Of a hundred; those of a persona's pillars that are not retired are a hundred at most.
    weight = models.PositiveSmallIntegerField(default=25)
    # 1 is what matters most.
    priority = models.PositiveSmallIntegerField(default=3)
    # Days of the persona's own zone, both included; none is for ever.
    starts = models.DateField(null=True, blank=True)
    ends = models.DateField(null=True, blank=True)
    guidelines = models.TextField(blank=True, max_length=2000)
    # Goes before the weight where it is said.
    posts_per_week = models.FloatField(null=True, blank=True)
    # Out of the plan; its posts and pictures stay.
    retired = models.DateTimeField(null=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["priority", "name", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["persona", "name"], condition=Q(retired=None), name="one_pillar_a_name")
        ]

    def __str__(self) -> str:
        return self.name

    def current(self, day: date) -> bool:
        """Whether it is posted about on that day."""
        begun = self.starts is None or self.starts <= day
        return self.retired is None and begun and (self.ends is None or day <= self.ends)


class Cluster(models.Model):
    """Kept pictures that belong together; one may lie in several, and a cluster may serve several pillars."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="clusters")
    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="clusters")
    name = models.CharField(max_length=LONGEST_NAME)
    note = models.CharField(max_length=300, blank=True)
    kept = models.ManyToManyField(Kept, related_name="clusters")
    pillars = models.ManyToManyField(Pillar, related_name="clusters")
    # Deleted, as long as nobody brings it back: no pillar counts it.
    gone = models.DateTimeField(null=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["persona", "name"], condition=Q(gone=None), name="one_cluster_a_name")
        ]

    def __str__(self) -> str:
        return self.name


class Use(models.Model):
    """A picture was given to a post. Its place in the library goes where its run has no winner any more; this stays."""

    kept = models.ForeignKey(Kept, null=True, on_delete=models.SET_NULL, related_name="uses")
    made = models.ForeignKey(Made, on_delete=models.CASCADE, related_name="uses")
    pillar = models.ForeignKey(Pillar, null=True, on_delete=models.SET_NULL, related_name="uses")
    # The post's number; posts live in an app above.
    post = models.PositiveBigIntegerField(db_index=True)
    at = models.DateTimeField()
    posted = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["made", "post"], name="used_once_a_post")]


class Idea(Moving):
    """What could be drawn for a pillar, in words; a person takes it or not."""

    class State(models.TextChoices):
        """Where an idea stands."""

        PENDING = "pending"
        USED = "used"
        REJECTED = "rejected"

    MOVES: ClassVar = {
        State.PENDING: frozenset({State.USED, State.REJECTED}),
        State.REJECTED: frozenset({State.PENDING}),
        State.USED: frozenset(),
    }

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="ideas")
    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="ideas")
    pillar = models.ForeignKey(Pillar, on_delete=models.CASCADE, related_name="ideas")
    title = models.CharField(max_length=120)
    description = models.TextField(blank=True, max_length=2000)
    prompt = models.TextField(max_length=2000)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="ideas")
    # Who wrote it, as its writer calls itself.
    by = models.CharField(max_length=120)
    # The job that it was written for: called again after a crash, that writes no second one.
    job = models.CharField(max_length=120, blank=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "pillar"], condition=~Q(job=""), name="one_idea_a_job_and_pillar")
        ]
        indexes = (models.Index(fields=["persona", "state", "-id"], name="ideas_persona_state"),)

    def __str__(self) -> str:
        return self.title


class Rhythm(models.Model):
    """How often a persona posts, by whose clock, and how far ahead is planned; without a row as it is by default."""

    persona = models.OneToOneField(Persona, on_delete=models.CASCADE, related_name="rhythm")
    # As IANA names it.
    zone = models.CharField(max_length=64, default="UTC")
    posts_per_week = models.FloatField(default=3.0)
    strategy = models.CharField(max_length=40, default="thematic_rotation")
    days = models.PositiveSmallIntegerField(default=28)


class GapRun(models.Model):
    """A run that was started because a pillar lacks pictures: its winner goes there."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="gap")
    pillar = models.ForeignKey(Pillar, on_delete=models.CASCADE, related_name="runs")


class Vector(models.Model):
    """What a picture looks like in numbers, by the hash of its bytes and by whoever measured it."""

    sha256 = models.CharField(max_length=64)
    by = models.CharField(max_length=120)
    # Half-precision floats, one after the other.
    numbers = models.BinaryField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["by", "sha256"], name="one_vector_a_picture")]


class Grouping(models.Model):
    """Somebody asked which clusters there could be; a job finds them."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="groupings")
    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="groupings")
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    # How many were asked for; none is as many as seem to be there.
    wanted = models.PositiveSmallIntegerField(null=True)
    # Only pictures that lie in no cluster.
    loose = models.BooleanField(default=False)
    pictures = models.PositiveIntegerField(default=0)
    # By what pictures were compared, and why so many groups, for whoever looks.
    looked = models.CharField(max_length=120, blank=True)
    why = models.CharField(max_length=300, blank=True)
    done = models.DateTimeField(null=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-pk"]

    @property
    def key(self) -> str:
        """Its job's key."""
        return f"cluster-{self.pk}"


class Proposal(models.Model):
    """A group that was found; it is a cluster only when a person says so."""

    grouping = models.ForeignKey(Grouping, on_delete=models.CASCADE, related_name="proposals")
    place = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=LONGEST_NAME)
    # What its pictures' words have that the others' have not.
    words = models.JSONField(default=list)
    # The numbers of its kept pictures, the most typical first; how many they are, and the first of them for pages.
    members = models.JSONField(default=list)
    count = models.PositiveIntegerField(default=0)
    typical = models.JSONField(default=list)
    taken = models.ForeignKey(Cluster, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering: ClassVar = ["place"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["grouping", "place"], name="one_proposal_a_place")]

    def __str__(self) -> str:
        return self.name
