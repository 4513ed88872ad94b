"""The address of a persona's calendar for other programs: its secret lies by itself, and a renewed one is over."""

from importlib import import_module

import pytest
from django.apps import apps
from django.core.signing import Signer
from django.db import connection

from tests.studio.conftest import Cast
from zoetrope.studio.personas.workspaces import begin, told_persona
from zoetrope.studio.publishing import desk, feed
from zoetrope.studio.publishing.models import Channel, Feed

RENEW = "/s/studio/p/ada/calendar/renew/"


def opens(cast: Cast, path: str) -> int:
    return cast.clients["nobody"].get(path).status_code


def test_a_renewed_address_makes_the_old_one_nothing(cast: Cast) -> None:
    assert (feed.secret_of(cast.ada), feed.path_of(cast.ada)) == ("", "")
    addresses = []
    for _ in range(3):
        assert cast.clients["olga"].post(RENEW).status_code == 302
        addresses.append(feed.path_of(cast.ada))
    assert [opens(cast, each) for each in addresses] == [404, 404, 200]
    assert Feed.objects.count() == 1
    assert feed.opened(feed.renew(cast.ada)) == cast.ada
    assert opens(cast, addresses[-1]) == 404


def test_it_has_nothing_to_do_with_the_outbox(cast: Cast) -> None:
    path = f"/calendar/link/{feed.renew(cast.ada)}.ics"
    assert not Channel.objects.exists()
    assert not desk.outbox(cast.ada).token
    Channel.objects.all().delete()
    assert opens(cast, path) == 200


def test_one_persons_address_opens_nobody_elses(cast: Cast) -> None:
    mia = begin(cast.space, told_persona("mia", "drawn", "", "nano-flux", "fictional"), "Mia")
    mine, theirs = feed.renew(cast.ada), feed.renew(mia)
    assert (feed.opened(mine), feed.opened(theirs)) == (cast.ada, mia)
    signer = Signer(salt="feed", sep=".")
    token = Feed.objects.get(persona=cast.ada).token.tell()
    assert feed.opened(signer.sign(f"{mia.pk}-{token}")) is None
    for wrong in (f"{cast.ada.pk}-", "-", "a-b", f"{cast.ada.pk}-{token}x"):
        assert feed.opened(signer.sign(wrong)) is None, wrong
    cast.ada.delete()
    assert feed.opened(mine) is None


def test_the_secret_lies_sealed(cast: Cast) -> None:
    feed.renew(cast.ada)
    row = Feed.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM publishing_feed")
        (held,) = cursor.fetchone()
    assert row.token.tell() not in held
    assert held.startswith("sealed:1:")


@pytest.mark.parametrize("before", [True, False], ids=["with an address", "without"])
def test_an_address_of_the_version_before_still_opens(cast: Cast, before: bool) -> None:
    """It lay with the outbox."""
    channel = desk.outbox(cast.ada)
    old = Signer(salt="feed", sep=".").sign(f"{cast.ada.pk}-the-old-token")
    Channel.objects.filter(pk=channel.pk).update(token="the-old-token" if before else "")
    Channel.objects.create(space=cast.space, persona=cast.ada, kind="instagram", account="1", token="theirs", name="A")
    import_module("zoetrope.studio.publishing.migrations.0002_slots_feeds_campaigns").feeds(apps, connection)
    assert feed.opened(old) == (cast.ada if before else None)
    assert Feed.objects.count() == before
    channel.refresh_from_db()
    assert not channel.token
    assert Channel.objects.get(kind="instagram").token.tell() == "theirs"
