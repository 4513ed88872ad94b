"""How an account is asked for a post's numbers: only for what it knows, and left alone when it says so."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from zoetrope.studio.insights import readings
from zoetrope.studio.insights.models import METRICS, Lack, Reading
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.publishing.accounts.calls import asked
from zoetrope.studio.publishing.channels.seam import Do, Lost, Refused
from zoetrope.studio.publishing.models import Channel, Post

CALL = "insights"
WATCHED = "ig_reels_avg_watch_time"
"""Of a reel: milliseconds."""
LEASE = timedelta(minutes=10)
# So long nothing is asked of an account that did not say for how long.
_REST = timedelta(hours=1)
# An account learns to tell more; and who connected it may allow more tomorrow.
_ASK_ANEW, _ASK_AGAIN = timedelta(days=30), timedelta(days=1)
# The parameter is at fault; with a subcode, the post is.
_NO_SUCH = (100, None)
# What the token itself is refused for: posts cannot go out by it either.
_TOKEN = frozenset({102, 190})


def fetch(key: int, now: datetime) -> str:
    """Ask for one reading, if it is still to be asked for; what came of it, for the job's log."""
    free = Reading.objects.filter(pk=key, wake__lte=now)
    if not free.update(wake=now + LEASE, tries=F("tries") + 1):
        return "somebody else asked"
    reading = Reading.objects.select_related("post__channel__persona").get(pk=key)
    channel = reading.post.channel
    if channel is None or readings.closes(reading) <= now:
        return _later(reading, None, "too late: nothing was told")
    if _resting(channel, now):
        return _later(reading, readings.next_look(reading, now), "the account rests")
    wanted = _wanted(channel, reading.post, now)
    if not wanted:
        return _later(reading, readings.next_look(reading, now), "the account tells nothing of such posts")
    try:
        numbers = _asked(channel, reading.post, wanted, now)
    except Lost as error:
        return _later(reading, readings.next_look(reading, now), str(error))
    except Refused as error:
        _heed(channel, reading.post, error, now)
        return _later(reading, readings.next_look(reading, now), str(error))
    Lack.objects.filter(channel=channel, kind=reading.post.kind).update(refused="")
    readings.told(reading, numbers, now)
    whole = len(numbers) == len(_wanted(channel, reading.post, now))
    return _later(reading, None if whole else readings.next_look(reading, now), f"{len(numbers)} numbers")


def refusals(persona: Persona) -> "QuerySet[Lack]":
    """Accounts in use that tell nothing, by the token that they have now."""
    since = Q(channel__token_made=None) | Q(at__gte=F("channel__token_made"))
    return Lack.objects.filter(since, channel__persona=persona, channel__retired=None).exclude(refused="")


def _later(reading: Reading, wake: datetime | None, said: str) -> str:
    Reading.objects.filter(pk=reading.pk).update(wake=wake)
    return said


def _resting(channel: Channel, now: datetime) -> bool:
    return bool(channel.error) or (channel.rests is not None and channel.rests > now)


def _wanted(channel: Channel, post: Post, now: datetime) -> list[str]:
    """What it may tell of such a post, as far as is known."""
    names = [*METRICS, WATCHED] if post.kind == Post.Kind.REEL else [*METRICS]
    lack = Lack.objects.filter(channel=channel, kind=post.kind).first()
    if lack is not None and lack.refused and channel.token_made and lack.at < channel.token_made:
        # Whoever connected it anew may have allowed more.
        return names
    if lack is None or now - lack.at > (_ASK_AGAIN if lack.refused else _ASK_ANEW):
        return names
    return [] if lack.refused else [name for name in names if name not in lack.metrics]


def _asked(channel: Channel, post: Post, names: Sequence[str], now: datetime) -> dict[str, float]:
    try:
        return _numbers(channel, post, names)
    except Refused as error:
        if (error.code, error.subcode) != _NO_SUCH or len(names) == 1:
            raise
        first = error
    # It knows one of them not, and does not say in a way to rely on which: once, they are asked for one by one.
    found: dict[str, float] = {}
    lacking = []
    for name in names:
        try:
            found |= _numbers(channel, post, [name])
        except Refused as error:
            if (error.code, error.subcode) != _NO_SUCH:
                raise
            lacking.append(name)
    if len(lacking) == len(names):
        # Then it was not the names.
        raise first
    Lack.objects.update_or_create(
        channel=channel, kind=post.kind, defaults={"metrics": lacking, "refused": "", "at": now}
    )
    return found


def _numbers(channel: Channel, post: Post, names: Sequence[str]) -> dict[str, float]:
    """Under the names that readings have."""
    answer = asked(channel, CALL, lambda client: client.get(f"{post.media}/insights", metric=",".join(names)))
    told = {name: value for name, value in readings.read(answer.get("data")).items() if name in names}
    if (watched := told.pop(WATCHED, None)) is not None:
        told["watched"] = watched / 1000
    return told


def _heed(channel: Channel, post: Post, error: Refused, now: datetime) -> None:
    """As posting does: the account is left alone, or a person is asked. That numbers are not told stops no post."""
    rows = Channel.objects.filter(pk=channel.pk)
    if error.do in (Do.WAIT, Do.LATER):
        rows.update(rests=now + (timedelta(seconds=error.seconds) if error.seconds else _REST))
    elif error.do is Do.STOP and error.code in _TOKEN:
        rows.update(error=str(error)[:300])
    elif error.do is Do.STOP:
        said = {"metrics": [], "refused": str(error)[:300], "at": now}
        Lack.objects.update_or_create(channel=channel, kind=post.kind, defaults=said)
