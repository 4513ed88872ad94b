"""How much of a day's posts is used up: by our own count, and by the account's, which is asked now and then."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache

from zoetrope.errors import UserError
from zoetrope.studio.publishing.accounts.calls import asked
from zoetrope.studio.publishing.channels.instagram.driver import Instagram
from zoetrope.studio.publishing.channels.seam import Lost, Refused
from zoetrope.studio.publishing.hosting import address
from zoetrope.studio.publishing.models import Channel, Post

CALL = "quota"
_DAY = timedelta(hours=24)
_SECONDS = 600
_MAYBE_LIVE = (Post.State.PUBLISHING, Post.State.UNCONFIRMED)


@dataclass(frozen=True)
class Quota:
    """Posts of the last 24 hours; None where the account does not say."""

    ours: int
    used: int | None = None
    total: int | None = None

    @property
    def most(self) -> int:
        """Used up, by whoever counts more."""
        return max(self.ours, self.used or 0)


def quota(channel: Channel, now: datetime) -> Quota:
    """As it is now; the account's own count may be ten minutes old."""
    told = _asked(channel, now)
    return Quota(ours(channel, now), told.get("used"), told.get("total"))


def ours(channel: Channel, now: datetime) -> int:
    """What went out through this channel within a day, or may have."""
    live = channel.posts.filter(published__gt=now - _DAY).count()
    return live + channel.posts.filter(state__in=_MAYBE_LIVE, began__gt=now - _DAY).count()


def _asked(channel: Channel, now: datetime) -> dict[str, Any]:
    """Whoever comes first within ten minutes asks; the others see what was answered."""
    key = f"quota-{channel.pk}"
    leave = channel.error or not channel.token or (channel.rests and channel.rests > now)
    if not leave and cache.add(f"{key}-asked", True, _SECONDS):
        try:
            usage = asked(channel, CALL, lambda client: Instagram(client, channel.account, address).usage())
        except (Lost, Refused, UserError):
            usage = None
        # Kept for longer than until it is asked again, so that meanwhile the old answer is seen.
        cache.set(key, {"used": usage.used, "total": usage.total} if usage else {}, 2 * _SECONDS)
    told: dict[str, Any] = cache.get(key) or {}
    return told
