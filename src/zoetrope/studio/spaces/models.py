"""People, the spaces they share, and what opens doors: roles, one-time links, tokens for programs."""

import hashlib
import secrets
from datetime import timedelta
from typing import ClassVar, Self

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import QuerySet
from django.utils import timezone

_LINK_LIFE = timedelta(days=2)
_SEEN_EVERY = timedelta(minutes=5)


class User(AbstractUser):
    """A person with a login."""


class Role(models.IntegerChoices):
    """What a member may do; each includes those before it."""

    viewer = 10, "Viewer"
    reviewer = 20, "Reviewer"
    owner = 30, "Owner"


class Space(models.Model):
    """Everything of one person or team; nothing in it is seen from another."""

    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=80, unique=True)
    created = models.DateTimeField(auto_now_add=True)
    members = models.ManyToManyField(User, through="Membership", related_name="spaces")

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's role in a space."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    role = models.PositiveSmallIntegerField(choices=Role.choices)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["space", "user"], name="one_role_a_space")]


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class OneTimeLink(models.Model):
    """A link that opens once: for the first account, for an invitation, for a forgotten password.

    Only the secret's hash is kept, so whoever reads the database cannot use it.
    """

    class Purpose(models.TextChoices):
        first = "first", "first account"
        invite = "invite", "invitation"
        password = "password", "new password"

    secret_hash = models.CharField(max_length=64, unique=True)
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    space = models.ForeignKey(Space, null=True, on_delete=models.CASCADE)
    role = models.PositiveSmallIntegerField(choices=Role.choices, default=Role.viewer)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE)
    made_by = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")
    expires = models.DateTimeField()
    used = models.DateTimeField(null=True)

    @classmethod
    def make(
        cls,
        purpose: Purpose,
        space: Space | None = None,
        role: Role = Role.viewer,
        user: User | None = None,
        made_by: User | None = None,
    ) -> str:
        """A new link's secret; it is told this once. Of links to one person's new password only the newest opens."""
        if user is not None:
            cls.end_of(user)
        secret = secrets.token_urlsafe(24)
        cls.objects.create(
            secret_hash=_hashed(secret),
            purpose=purpose,
            space=space,
            role=role,
            user=user,
            made_by=made_by,
            expires=timezone.now() + _LINK_LIFE,
        )
        return secret

    @classmethod
    def end_of(cls, user: User) -> None:
        """No link sets this person's password any more."""
        cls.objects.filter(purpose=cls.Purpose.password, user=user, used=None).delete()

    @classmethod
    def usable(cls) -> QuerySet[Self]:
        """Those that can still be used."""
        return cls.objects.filter(used=None, expires__gt=timezone.now())

    @classmethod
    def find(cls, secret: str) -> Self | None:
        """The link, if it can still be used."""
        return cls.usable().filter(secret_hash=_hashed(secret)).first()

    def use(self) -> bool:
        """Mark it used; false where another was faster."""
        now = timezone.now()
        return bool(type(self).objects.filter(pk=self.pk, used=None).update(used=now))


class ApiToken(models.Model):
    """Lets a program act as a member of one space; only its hash is kept."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="tokens")
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    name = models.CharField(max_length=80)
    secret_hash = models.CharField(max_length=64, unique=True)
    created = models.DateTimeField(auto_now_add=True)
    seen = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-created"]

    @classmethod
    def make(cls, space: Space, user: User, name: str) -> str:
        """A new token; it is told this once."""
        secret = f"zt_{secrets.token_urlsafe(32)}"
        cls.objects.create(space=space, user=user, name=name, secret_hash=_hashed(secret))
        return secret

    @classmethod
    def find(cls, secret: str) -> Self | None:
        """The token with this secret; when it was last seen is kept to the nearest minutes."""
        token = cls.objects.select_related("user", "space").filter(secret_hash=_hashed(secret)).first()
        now = timezone.now()
        if token and token.user.is_active and (token.seen is None or now - token.seen > _SEEN_EVERY):
            cls.objects.filter(pk=token.pk).update(seen=now)
        return token if token and token.user.is_active else None
