"""Channels as people connect and watch them, the outbox, the quota, the ledger."""

import csv
import io
import time
import zipfile
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import cache
from django.db import IntegrityError, connection, transaction
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.studio.conftest import Cast
from tests.studio.publishing.graph import Graph
from tests.studio.publishing.graph_truth import Account
from tests.studio.publishing.test_instagram import Echo
from tests.studio.publishing.test_outbox import drafted
from tests.studio.publishing.test_tokens import account, graph, own_app
from zoetrope.errors import UserError
from zoetrope.studio.personas.workspaces import begin as begun
from zoetrope.studio.personas.workspaces import told_persona
from zoetrope.studio.publishing import desk, posting
from zoetrope.studio.publishing.accounts import keeping, ledger, tokens
from zoetrope.studio.publishing.accounts.quota import quota
from zoetrope.studio.publishing.drivers import INSTAGRAM, driver_of
from zoetrope.studio.publishing.models import Channel, Entry, Post
from zoetrope.studio.spaces.models import Membership, Role

__all__ = ["account", "graph", "own_app"]
AT = "/s/studio/p/ada/channels/"
LEDGER = "/s/studio/p/ada/ledger/"


def connect_by(cast: Cast, token: str, account: str = "", who: str = "olga", **said: str) -> Any:
    form = {"login": "instagram", "account": account, "token": token, "name": ""}
    return cast.clients[who].post(AT, form | said)


@pytest.fixture
def channel(cast: Cast, graph: Graph, account: Account) -> Channel:
    """Ada's account, connected."""
    cache.clear()
    return keeping.connect(cast.ada, "instagram", account.id, graph.truth.token(account))


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_the_outbox_is_always_there(cast: Cast) -> None:
    for who in ("olga", "rui", "vic"):
        page = text_of(cast.clients[who].get(AT))
        assert "0 posts lie in" in page
        assert f"outbox/{cast.ada.folder}" in page
        assert ("Connect Instagram" in page) is (who == "olga")
    assert not Channel.objects.exists(), "looking makes nothing"
    assert "Nothing here yet" in text_of(cast.clients["vic"].get(f"{AT}outbox/"))
    desk.outbox(cast.ada)
    assert text_of(cast.clients["vic"].get(AT)).count("lie in") == 1


@pytest.mark.parametrize("named", [True, False])
def test_an_account_is_connected_by_its_token(cast: Cast, graph: Graph, account: Account, named: bool) -> None:
    token = graph.truth.token(account)
    assert connect_by(cast, token, account.id if named else "").status_code == 302
    [channel] = Channel.objects.all()
    assert (channel.name, channel.account, channel.login) == ("ada.paints", account.id, "instagram")
    assert channel.token.tell() == token
    for where in (AT, f"{AT}{channel.pk}/"):
        page = text_of(cast.clients["olga"].get(where))
        assert "ada.paints" in page
        assert token not in page
        assert channel.token.sealed not in page


@pytest.mark.parametrize("login", ["instagram", "facebook"])
def test_a_token_finds_its_own_account(cast: Cast, graph: Graph, login: str) -> None:
    account = graph.truth.account("mia", login)
    made = keeping.connect(cast.ada, login, "", graph.truth.token(account), "Mia's")
    assert (made.account, made.name) == (account.id, "Mia's")


def test_a_wrong_one_is_refused_in_a_sentence_and_nothing_is_kept(
    cast: Cast, graph: Graph, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, other = graph.truth.token(account), graph.truth.account("sam")
    ended = graph.truth.token(account)
    graph.truth.expire(ended)
    tries = [
        ("IGAA" + "x" * 40, account.id, "refused and nothing was kept"),
        (ended, "", "Session has expired"),
        (token, other.id, "refused and nothing was kept"),
        ("short", "", "one long word"),
        ("two words that are no token at all", "", "one long word"),
        (token, "not a number", "Enter a valid value"),
    ]
    for typed, number, says in tries:
        answer = connect_by(cast, typed, number)
        assert (answer.status_code, says in text_of(answer)) == (422, True), says
        assert typed not in text_of(answer) or " " in typed
    monkeypatch.setenv(INSTAGRAM, "http://127.0.0.1:9")
    answer = connect_by(cast, token)
    assert "could not be checked" in text_of(answer)
    assert not Channel.objects.exists()
    assert not Entry.objects.exists()


def test_only_owners_connect(cast: Cast, graph: Graph, account: Account) -> None:
    token = graph.truth.token(account)
    assert [connect_by(cast, token, who=who).status_code for who in ("rui", "vic", "sam", "nobody")] == [
        403,
        403,
        404,
        302,
    ]
    assert not Channel.objects.exists()


def test_an_account_is_connected_once(cast: Cast, graph: Graph, account: Account, channel: Channel) -> None:
    answer = connect_by(cast, graph.truth.token(account))
    assert (answer.status_code, "is connected already" in text_of(answer)) == (422, True)
    assert Channel.objects.count() == 1


def test_two_who_connect_it_at_once_have_one_channel(
    cast: Cast, graph: Graph, account: Account, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both asked whether it was free before either kept it."""
    monkeypatch.setattr(keeping, "_free", lambda probe: None)
    mia = begun(cast.space, told_persona("mia", "drawn", "", "nano-flux", "fictional"), "Mia")
    with pytest.raises(UserError, match="is connected already"):
        keeping.connect(mia, "instagram", account.id, graph.truth.token(account))
    assert Channel.objects.get() == channel


def test_the_database_keeps_one_live_channel_an_account(cast: Cast, channel: Channel) -> None:
    same: dict[str, Any] = {"space": cast.space, "persona": cast.ada, "kind": channel.kind, "name": "Another"}
    with pytest.raises(IntegrityError), transaction.atomic():
        Channel.objects.create(account=channel.account, **same)
    Channel.objects.create(account=channel.account, retired=timezone.now(), **same)
    Channel.objects.create(account="999", **same)
    for _ in range(2):
        Channel.objects.create(space=cast.space, persona=cast.ada, name="Outbox")


def test_a_retired_channel_comes_back_with_its_ledger(
    cast: Cast, graph: Graph, account: Account, channel: Channel
) -> None:
    Entry.objects.create(channel=channel, call="check", outcome="done", at=timezone.now())
    olga = cast.clients["olga"]
    assert olga.post(f"{AT}{channel.pk}/act/", {"do": "retire"}).status_code == 302
    channel.refresh_from_db()
    assert (channel.retired is not None, bool(channel.token), channel.token_made) == (True, False, None)
    assert olga.get(f"{AT}{channel.pk}/").status_code == 404
    assert "ada.paints</a>" not in text_of(olga.get(AT))
    assert "ada.paints (retired)" in text_of(olga.get(LEDGER))
    entries = Entry.objects.count()
    assert connect_by(cast, graph.truth.token(account)).status_code == 302
    channel.refresh_from_db()
    assert (Channel.objects.count(), channel.retired, bool(channel.token)) == (1, None, True)
    assert Entry.objects.count() == entries


def test_a_channel_on_which_posts_wait_is_not_retired(cast: Cast, channel: Channel) -> None:
    post = drafted(cast)
    Post.objects.update(channel=channel, state=Post.State.SCHEDULED)
    answer = cast.clients["olga"].post(f"{AT}{channel.pk}/act/", {"do": "retire"})
    assert (answer.status_code, "1 post waits to go out there" in text_of(answer)) == (400, True)
    Post.objects.filter(pk=post.pk).update(state=Post.State.UNCONFIRMED)
    keeping.retire(channel)
    channel.refresh_from_db()
    assert channel.retired is not None
    assert channel.token, "what became of that post is still asked"


def test_a_token_is_replaced_by_another_one_for_the_same_account(
    cast: Cast, graph: Graph, account: Account, channel: Channel
) -> None:
    Channel.objects.update(error="Instagram: Error validating access token (190)")
    olga, where = cast.clients["olga"], f"{AT}{channel.pk}/"
    assert "Nothing goes out until somebody has seen to this" in text_of(olga.get(where))
    foreign = graph.truth.token(graph.truth.account("sam"))
    answer = olga.post(where, {"form": "token", "token": foreign})
    assert (answer.status_code, "refused" in text_of(answer)) == (422, True)
    before = channel.token
    channel.refresh_from_db()
    assert (channel.token, bool(channel.error)) == (before, True)
    new = graph.truth.token(account)
    assert olga.post(where, {"form": "token", "token": new}).status_code == 302
    channel.refresh_from_db()
    assert (channel.token.tell(), channel.error) == (new, "")
    assert new not in text_of(olga.get(where))
    assert Entry.objects.filter(call="check", outcome="refused", channel=channel).exists()


def test_all_is_well_again_only_after_a_check(cast: Cast, graph: Graph, channel: Channel) -> None:
    Channel.objects.update(error="The account is restricted.")
    olga, where = cast.clients["olga"], f"{AT}{channel.pk}/act/"
    graph.truth.revoke(channel.token.tell())
    assert olga.post(where, {"do": "all-well"}).status_code == 400
    channel.refresh_from_db()
    assert channel.error == "The account is restricted."
    graph.truth.tokens[channel.token.tell()].revoked = False
    assert olga.post(where, {"do": "all-well"}).status_code == 302
    channel.refresh_from_db()
    assert channel.error == ""
    assert olga.post(where, {"do": "dance"}).status_code == 400


def test_a_channel_is_renamed_and_speaks_another_version(cast: Cast, channel: Channel) -> None:
    olga, where = cast.clients["olga"], f"{AT}{channel.pk}/"
    assert olga.post(where, {"form": "about", "name": "Ada's", "version": "v27.0"}).status_code == 302
    channel.refresh_from_db()
    assert (channel.name, channel.version) == ("Ada's", "v27.0")
    for said in ({"name": "", "version": "v27.0"}, {"name": "Ada", "version": "../me"}, {"name": "x" * 61}):
        assert olga.post(where, {"form": "about", **said}).status_code == 422
    assert olga.post(where, {"form": "dance"}).status_code == 422
    assert cast.clients["rui"].post(where, {"form": "about", "name": "Rui's"}).status_code == 403
    box = desk.outbox(cast.ada)
    assert olga.post(f"{AT}{box.pk}/", {"form": "about", "name": "Folder"}).status_code == 302
    assert olga.post(f"{AT}{box.pk}/act/", {"do": "retire"}).status_code == 400


def test_what_stops_a_channel_and_what_will(cast: Cast, channel: Channel) -> None:
    now = timezone.now()
    Channel.objects.update(rests=now + timedelta(hours=2), token_ends=now + timedelta(days=9, hours=1))
    page = text_of(cast.clients["vic"].get(AT))
    assert "asked to be left alone until" in page
    assert "Its token ends in 9 days" in page
    assert "All is well." in page, "of the outbox"
    Channel.objects.update(rests=now - timedelta(hours=2), token_ends=now + timedelta(days=11))
    assert "left alone" not in text_of(cast.clients["vic"].get(f"{AT}{channel.pk}/"))
    assert "[warning]" not in text_of(cast.clients["vic"].get(f"{AT}{channel.pk}/"))
    Channel.objects.update(token_ends=now - timedelta(seconds=1))
    assert tokens.ENDED in text_of(cast.clients["vic"].get(AT))


# The login


def begin(cast: Cast, who: str = "olga", **said: str) -> dict[str, str]:
    """As far as Meta's page: what its address says."""
    page = text_of(cast.clients[who].post(f"{AT}login/", {"login": "instagram", "account": ""} | said))
    address = page.partition('<a class="button primary" href="')[2].partition('"')[0].replace("&amp;", "&")
    parts = urlsplit(address)
    return {name: values[0] for name, values in parse_qs(parts.query).items()} | {"host": parts.netloc}


def back(cast: Cast, who: str = "olga", **said: str) -> Any:
    return cast.clients[who].get("/channels/logged-in/", said)


@pytest.mark.parametrize(("kind", "host"), [("instagram", "www.instagram.com"), ("facebook", "www.facebook.com")])
def test_a_login_ends_with_a_token_of_sixty_days(cast: Cast, graph: Graph, own_app: None, kind: str, host: str) -> None:
    account = graph.truth.account("ada.paints", kind)
    asked = begin(cast, login=kind)
    assert (asked["host"], asked["client_id"], asked["response_type"]) == (host, "app", "code")
    assert asked["redirect_uri"] == "http://testserver/channels/logged-in/"
    assert "content_publish" in asked["scope"]
    assert "app-secret" not in str(asked)
    answer = back(cast, state=asked["state"], code=graph.truth.code(account))
    assert (answer.status_code, answer["Location"]) == (302, AT)
    [channel] = Channel.objects.all()
    assert (channel.account, channel.login) == (account.id, kind)
    assert graph.truth.tokens[channel.token.tell()].long
    assert channel.token_ends is not None


def test_a_state_counts_once_in_its_own_session_and_not_for_long(
    cast: Cast, graph: Graph, account: Account, own_app: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = graph.truth.code(account)
    assert "was not begun here" in text_of(back(cast, state="", code=code))
    asked = begin(cast)
    assert back(cast, "rui", state=asked["state"], code=code).status_code == 400
    assert back(cast, state=f"{asked['state']}x", code=code).status_code == 400
    # One guess is all there is.
    assert back(cast, state=asked["state"], code=code).status_code == 400
    asked = begin(cast)
    now = time.time()
    monkeypatch.setattr("zoetrope.studio.publishing.accounts.login.time.time", lambda: now + 901)
    assert "longer than a quarter of an hour" in text_of(back(cast, state=asked["state"], code=code))
    monkeypatch.undo()
    assert not Channel.objects.exists()
    assert code in graph.truth.codes, "it was never handed in"


def test_a_login_that_comes_to_nothing(
    cast: Cast, graph: Graph, account: Account, own_app: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "somebody cancelled" in text_of(back(cast, state=begin(cast)["state"], error="access_denied"))
    assert "came to nothing: Instagram:" in text_of(back(cast, state=begin(cast)["state"], code="never-given"))
    with Echo() as echo:
        monkeypatch.setenv(INSTAGRAM, echo.url)
        page = text_of(back(cast, state=begin(cast)["state"], code="a-code-of-somebody"))
        assert "a-code-of-somebody" in echo.heard[0]
        assert "app-secret" in echo.heard[0]
        assert not [each for each in ("a-code-of-somebody", "app-secret") if each in page]
    assert cast.clients["olga"].post(f"{AT}login/", {"login": "elsewhere"}).status_code == 400
    assert [cast.clients[who].post(f"{AT}login/", {"login": "instagram"}).status_code for who in ("rui", "sam")] == [
        403,
        404,
    ]
    monkeypatch.delenv(tokens.SECRET)
    assert "takes an app of your own" in text_of(cast.clients["olga"].post(f"{AT}login/", {"login": "instagram"}))
    assert not Channel.objects.exists()


def test_whoever_is_no_owner_any_more_connects_nothing(
    cast: Cast, graph: Graph, account: Account, own_app: None
) -> None:
    asked = begin(cast)
    Membership.objects.filter(user=cast.user("olga")).update(role=Role.reviewer)
    assert back(cast, state=asked["state"], code=graph.truth.code(account)).status_code == 403
    assert not Channel.objects.exists()


# The quota


def test_the_account_is_asked_once_in_ten_minutes(cast: Cast, graph: Graph, channel: Channel) -> None:
    graph.options.limit_on_instagram = True
    where = f"{AT}{channel.pk}/used/"
    page = text_of(cast.clients["vic"].get(where))
    assert '<meter min="0" max="100" value="0">' in page
    post = drafted(cast)
    Post.objects.filter(pk=post.pk).update(channel=channel, state=Post.State.UNCONFIRMED, began=timezone.now())
    assert "1 of 100" in text_of(cast.clients["vic"].get(where)), "by our own count"
    assert len(graph.truth.calls_of("limit")) == 1
    cache.delete(f"quota-{channel.pk}-asked")
    cast.clients["vic"].get(where)
    assert len(graph.truth.calls_of("limit")) == 2


def test_an_account_that_does_not_say_is_counted_by_ourselves(cast: Cast, graph: Graph, channel: Channel) -> None:
    now = timezone.now()
    ages = {23: Post.State.PUBLISHED, 25: Post.State.PUBLISHED, 1: Post.State.PUBLISHING}
    for hours, state in ages.items():
        post = drafted(cast)
        at = now - timedelta(hours=hours)
        published = at if state == Post.State.PUBLISHED else None
        Post.objects.filter(pk=post.pk).update(channel=channel, state=state, published=published, began=at)
    for _ in range(3):
        assert (quota(channel, now).ours, quota(channel, now).total) == (2, None)
    assert len(graph.truth.calls_of("limit")) == 1
    assert "2 posts in the last 24 hours" in text_of(cast.clients["vic"].get(f"{AT}{channel.pk}/used/"))
    cache.clear()
    Channel.objects.update(error="The account is restricted.")
    channel.refresh_from_db()
    assert quota(channel, now).ours == 2
    assert len(graph.truth.calls_of("limit")) == 1, "it is left alone"


# The outbox


def out(cast: Cast) -> Post:
    """A post that went to the outbox."""
    post = drafted(cast)
    desk.schedule(post, timezone.now())
    for _ in range(10):
        Post.objects.filter(pk=post.pk, wake__isnull=False).update(wake=timezone.now())
        posting.advance(post.pk, driver_of, timezone.now)
    post.refresh_from_db()
    assert post.state == Post.State.PUBLISHED
    return post


def test_a_post_of_the_outbox_is_downloaded_in_one_piece(cast: Cast) -> None:
    post = out(cast)
    assert "1 post lies in" in text_of(cast.clients["vic"].get(AT))
    where = f"{AT}outbox/{post.pk}.zip"
    assert where in text_of(cast.clients["vic"].get(f"{AT}outbox/"))
    answer = cast.clients["vic"].get(where)
    assert f'filename="{post.media}.zip"' in answer["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.getvalue())) as archive:
        assert archive.testzip() is None
        names = [name.rpartition("/") for name in archive.namelist()]
        assert archive.read(f"{post.media}/caption.txt").decode() == "At the sea.\n\n#sea #sun\n"
    assert {folder for folder, _, _ in names} == {post.media}
    assert {name for _, _, name in names} == {"1.jpg", "caption.txt", "post.json"}
    assert cast.clients["sam"].get(where).status_code == 404


def test_what_was_taken_out_of_the_outbox_is_said_so(cast: Cast, own_home: Any) -> None:
    post = out(cast)
    folder = own_home / "zoetrope" / "outbox" / cast.ada.folder / post.media
    (folder / "secrets").symlink_to("/etc/passwd")
    answer = cast.clients["vic"].get(f"{AT}outbox/{post.pk}.zip")
    assert b"secrets" not in answer.getvalue()
    folder.rename(folder.with_name("elsewhere"))
    assert "moved or thrown away" in text_of(cast.clients["vic"].get(f"{AT}outbox/"))
    assert cast.clients["vic"].get(f"{AT}outbox/{post.pk}.zip").status_code == 404
    draft = drafted(cast)
    assert cast.clients["vic"].get(f"{AT}outbox/{draft.pk}.zip").status_code == 404


# The ledger


def entries(channel: Channel, number: int, post: Post | None = None, **said: Any) -> list[Entry]:
    at = timezone.now()
    about: dict[str, Any] = {"call": "status", "outcome": "done"} | said
    rows = [Entry(channel=channel, post=post, at=at, milliseconds=place, **about) for place in range(number)]
    return Entry.objects.bulk_create(rows)


def rows_of(page: str) -> int:
    return page.count('<span class="tag outcome')


def test_the_ledger_goes_back_page_by_page(cast: Cast, channel: Channel) -> None:
    Entry.objects.all().delete()
    box = desk.outbox(cast.ada)
    entries(channel, 70)
    entries(box, 60)
    vic, seen, where = cast.clients["vic"], 0, LEDGER
    for expected in (50, 50, 30):
        page = text_of(vic.get(where))
        assert rows_of(page) == expected
        seen += expected
        older = page.partition("before=")[2].partition('"')[0]
        where = f"{LEDGER}?before={older}"
    assert (seen, older) == (130, "")
    listed = ledger.page(ledger.all_channels(cast.ada), ledger.Asked(), None, 200)
    assert [entry.pk for entry in listed] == sorted((entry.pk for entry in listed), reverse=True)
    assert len(listed) == 130


def test_the_ledger_is_narrowed_down(cast: Cast, channel: Channel) -> None:
    Entry.objects.all().delete()
    box, post = desk.outbox(cast.ada), drafted(cast)
    entries(channel, 3, post, outcome="refused", status=400, code=9, subcode=2207042, note="<b>Used up</b>")
    entries(channel, 2)
    entries(box, 4, post)
    vic = cast.clients["vic"]
    counts = {
        "": 9,
        f"?channel={channel.pk}": 5,
        f"?channel={box.pk}&outcome=done": 4,
        "?outcome=refused": 3,
        f"?post={post.pk}": 7,
        f"?post={post.pk}&channel={channel.pk}": 3,
        "?post=x": 0,
        "?channel=999": 0,
        "?outcome=dancing": 0,
        "?before=0": 0,
        "?before=x": 9,
    }
    assert {asked: rows_of(text_of(vic.get(f"{LEDGER}{asked}"))) for asked in counts} == counts
    page = text_of(vic.get(f"{LEDGER}?outcome=refused"))
    assert "9/2207042" in page
    assert "&lt;b&gt;Used up&lt;/b&gt;" in page
    assert "No such call" in text_of(vic.get(f"{LEDGER}?post=0"))


def test_a_page_of_the_ledger_costs_the_same_however_many_there_are(cast: Cast, channel: Channel) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as told:
            cast.clients["vic"].get(LEDGER)
        return len(told)

    queries()
    few = queries()
    entries(channel, 2000)
    entries(desk.outbox(cast.ada), 500)
    assert queries() == few
    for asked in (ledger.Asked(), ledger.Asked(channel=str(channel.pk))):
        with CaptureQueriesContext(connection) as told:
            ledger.page(ledger.all_channels(cast.ada), asked, 100)
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {told.captured_queries[-1]['sql']}")
            plan = " ".join(str(step) for step in cursor.fetchall())
        assert "SEARCH" in plan
        assert "SCAN publishing_entry" not in plan, "by indexes, not by going through all of them"


def table_of(cast: Cast, asked: str = "", who: str = "vic") -> list[dict[str, str]]:
    async def fetch() -> bytes:
        client = AsyncClient()
        client.cookies = cast.clients[who].cookies
        answer: Any = await client.get(f"{LEDGER}table.csv{asked}")
        assert answer.status_code == 200
        return b"".join([piece async for piece in answer.streaming_content])

    return list(csv.DictReader(io.StringIO(async_to_sync(fetch)().decode())))


def test_the_ledger_as_a_table(cast: Cast, channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "_AT_ONCE", 20)
    Entry.objects.all().delete()
    post = drafted(cast)
    entries(channel, 44, post, outcome="lost", note='=HYPERLINK("https://evil.example")')
    entries(channel, 3)
    rows = table_of(cast)
    assert [int(row["number"]) for row in rows] == list(Entry.objects.values_list("pk", flat=True))
    assert rows[-1]["note"] == '\'=HYPERLINK("https://evil.example")', "no formula for a spreadsheet"
    assert (rows[-1]["post"], rows[-1]["outcome"], rows[0]["post"]) == (str(post.pk), "lost", "")
    assert datetime.fromisoformat(rows[0]["at"]).tzinfo is not None
    assert len(table_of(cast, "?outcome=lost")) == 44
    assert cast.clients["sam"].get(f"{LEDGER}table.csv").status_code == 404


def test_no_token_stands_in_the_ledger(
    cast: Cast, graph: Graph, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOETROPE_PUBLIC_URL", "https://studio.example.org")
    token = channel.token.tell()
    post = drafted(cast)
    desk.change(post, channel=channel)
    desk.schedule(post, timezone.now())
    with Echo() as echo:
        monkeypatch.setenv(INSTAGRAM, echo.url)
        posting.advance(post.pk, driver_of, timezone.now)
        cast.clients["olga"].post(f"{AT}{channel.pk}/act/", {"do": "all-well"})
        assert len([heard for heard in echo.heard if token in heard]) == 2
    notes = list(Entry.objects.filter(outcome="refused").values_list("note", flat=True))
    assert len(notes) >= 2
    everything = text_of(cast.clients["vic"].get(LEDGER)) + text_of(cast.clients["vic"].get(AT)) + repr(table_of(cast))
    assert "Bearer …" in everything
    assert token[4:16] not in everything
    post.refresh_from_db()
    assert token[4:16] not in post.error


# For programs


def test_programs_do_the_same(cast: Cast, graph: Graph, account: Account) -> None:
    cache.clear()
    where = "/api/spaces/studio/personas/ada"
    olga, vic = (Client(headers={"Authorization": f"Bearer {cast.token(name)}"}) for name in ("olga", "vic"))
    kind = "application/json"
    assert [each["kind"] for each in vic.get(f"{where}/channels").json()] == ["outbox"]
    token = graph.truth.token(account)
    said = {"token": token, "account": account.id}
    assert vic.post(f"{where}/channels", said, kind).status_code == 403
    made = olga.post(f"{where}/channels", said, kind)
    assert (made.status_code, made.json()["name"]) == (201, "ada.paints")
    assert token not in made.content.decode()
    one = f"{where}/channels/{made.json()['id']}"
    assert vic.get(one).json()["health"][0]["text"] == "All is well."
    assert olga.patch(one, {"name": "Ada's"}, kind).json()["name"] == "Ada's"
    assert olga.patch(one, {"token": "x" * 40}, kind).status_code == 400
    refused = olga.patch(one, {"token": "short secret"}, kind)
    assert (refused.status_code, b"short secret" in refused.content) == (422, False)
    assert vic.get(f"{one}/quota").json() == {"ours": 0, "used": None, "total": None}
    assert olga.post(one, {"do": "all-well"}, kind).status_code == 200
    calls = vic.get(f"{where}/ledger?outcome=refused").json()
    assert {call["outcome"] for call in calls} == {"refused"}
    before = calls[0]["id"]
    assert all(call["id"] < before for call in vic.get(f"{where}/ledger?before={before}").json())
    post = out(cast)
    assert vic.get(f"{where}/outbox").json()[0]["folder"] == post.media
    assert vic.get(f"{where}/outbox/{post.pk}").status_code == 200
    assert olga.post(one, {"do": "retire"}, kind).status_code == 204
    assert vic.get(one).status_code == 404
    assert vic.get(f"{where}/outbox/999").status_code == 404
