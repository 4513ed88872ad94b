"""Tokens: renewed by a job long before they end, told on the channel, and said nowhere."""

import io
import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from tests.studio.conftest import Cast, Told
from tests.studio.publishing.graph import Graph, Options, Plan
from tests.studio.publishing.graph_clock import DAY
from tests.studio.publishing.graph_truth import Account
from tests.studio.publishing.test_instagram import Echo
from zoetrope.errors import UserError
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.jobs.kinds import find
from zoetrope.studio.publishing.accounts import keeping, tokens
from zoetrope.studio.publishing.accounts.health import health, renewals
from zoetrope.studio.publishing.accounts.keeping import connect
from zoetrope.studio.publishing.drivers import INSTAGRAM
from zoetrope.studio.publishing.models import Channel, Entry


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Iterator[Graph]:
    """Both hosts' calls at one address, at the wall's pace."""
    with Graph(options=Options(check_files=False)) as server:
        server.clock.factor = 1.0
        monkeypatch.setenv(INSTAGRAM, server.url)
        for name in (tokens.APP, tokens.SECRET):
            monkeypatch.delenv(name, raising=False)
        yield server


@pytest.fixture
def account(graph: Graph) -> Account:
    return graph.truth.account("ada.paints")


@pytest.fixture
def own_app(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody's app at Meta, as the server knows it."""
    monkeypatch.setenv(tokens.APP, "app")
    monkeypatch.setenv(tokens.SECRET, "app-secret")


def connected(cast: Cast, graph: Graph, account: Account, days_old: float = 0) -> Channel:
    token = graph.truth.token(account)
    graph.clock.advance(days_old * DAY)
    return connect(cast.ada, account.login, account.id, token)


def aged(channel: Channel, made: float, left: float | None) -> Channel:
    """As if its token had been made so many days ago, with so many left."""
    now = timezone.now()
    ends = None if left is None else now + timedelta(days=left)
    Channel.objects.filter(pk=channel.pk).update(token_made=now - timedelta(days=made), token_ends=ends)
    channel.refresh_from_db()
    return channel


def said_of(channel: Channel) -> str:
    channel.refresh_from_db()
    words = health(channel, timezone.now(), renewals([channel]).get(channel.pk))
    return " ".join(f"[{word.tone}] {word.text}" for word in words)


def test_a_token_that_is_old_enough_is_renewed_at_once_so_that_its_end_is_known(
    cast: Cast, graph: Graph, account: Account
) -> None:
    channel = connected(cast, graph, account, days_old=2)
    assert channel.token_ends is not None
    channel.refresh_from_db()
    assert channel.token.tell() in graph.truth.tokens
    assert len(graph.truth.tokens) == 2
    assert timedelta(days=59) < channel.token_ends - timezone.now() <= timedelta(days=60)
    assert "[success] All is well." in said_of(channel)
    assert "ends in 59 days; it is renewed by itself" in said_of(channel)


def test_a_young_token_is_renewed_when_it_is_a_day_old(cast: Cast, graph: Graph, account: Account) -> None:
    channel = connected(cast, graph, account)
    assert channel.token_ends is None
    assert "not known yet: it is asked for when the token is a day old" in said_of(channel)
    tokens.look()
    assert not jobs.Job.objects.exists()
    graph.clock.advance(1.1 * DAY)
    aged(channel, 1.1, None)
    tokens.register()
    tokens.look()
    tokens.look()
    [job] = jobs.Job.objects.all()
    assert (job.kind, job.args, job.scope) == (tokens.KIND, {"channel": channel.pk}, f"space:{cast.space.pk}")
    told = Told()
    tokens.carry(told, **job.args)
    ends = Channel.objects.get().token_ends
    assert ends is not None
    assert told.lines == [f"good until {ends:%Y-%m-%d}"]


def test_a_short_token_becomes_a_long_one_where_there_is_an_app(
    cast: Cast, graph: Graph, account: Account, own_app: None
) -> None:
    channel = connect(cast.ada, "instagram", account.id, graph.truth.token(account, long=False))
    channel.refresh_from_db()
    assert graph.truth.tokens[channel.token.tell()].long
    assert channel.token_ends is not None


@pytest.mark.parametrize(
    ("made", "left", "due"),
    [(0.9, 10, False), (40, 19.9, True), (40, 20.1, False), (59, 0.01, True), (61, -0.01, False), (0.9, None, False)],
)
def test_when_a_token_is_renewed(
    cast: Cast, graph: Graph, account: Account, made: float, left: float | None, due: bool
) -> None:
    channel = aged(connected(cast, graph, account), made, left)
    assert [each.pk for each in tokens.due(timezone.now())] == [channel.pk] * due
    Channel.objects.update(retired=timezone.now())
    assert not tokens.due(timezone.now())


def test_with_facebook_it_takes_an_app(cast: Cast, graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    account = graph.truth.account("ada.paints", "facebook")
    channel = aged(connected(cast, graph, account), 50, 9)
    assert not tokens.due(timezone.now())
    assert "[warning] Its token ends in 8 days: put in a new one." in said_of(channel)
    with pytest.raises(UserError, match="in the name of an app"):
        tokens.renew(channel)
    monkeypatch.setenv(tokens.APP, "app")
    monkeypatch.setenv(tokens.SECRET, "app-secret")
    assert tokens.due(timezone.now())
    before = channel.token
    tokens.carry(Told(), channel.pk)
    channel.refresh_from_db()
    assert channel.token != before
    assert channel.token_ends is not None
    assert channel.token_ends > timezone.now() + timedelta(days=59)
    aged(channel, 50, None)
    assert not tokens.due(timezone.now()), "one without an end needs nothing"


def test_a_failure_is_told_on_the_channel_and_over_with_the_next_token(
    cast: Cast, graph: Graph, account: Account
) -> None:
    channel = aged(connected(cast, graph, account, days_old=2), 50, 9)
    graph.faults.once("refresh", Plan(before="10"))
    with pytest.raises(UserError, match=r"was not renewed: Instagram: .*permission"):
        tokens.carry(Told(), channel.pk)
    said = said_of(channel)
    assert "[error] Nothing goes out until somebody has seen to this" in said, "it may do nothing any more"
    assert "[warning] Its token ends in 8 days, and could not be renewed by itself: put in a new one." in said
    assert f"Renewing its token failed on {timezone.now():%Y-%m-%d}. Instagram:" in said
    keeping.replace(channel, graph.truth.token(account))
    assert "failed" not in said_of(channel)
    assert "[error]" not in said_of(channel)


def test_no_answer_is_asked_again_by_the_job(cast: Cast, graph: Graph, account: Account) -> None:
    channel = aged(connected(cast, graph, account, days_old=2), 50, 15)
    graph.clock.advance(2 * DAY)
    before = channel.token
    for plan in (Plan(before="503"), Plan(after="lost")):
        graph.faults.once("refresh", plan)
        with pytest.raises(jobs.Fault, match="was not renewed"):
            tokens.carry(Told(), channel.pk)
    channel.refresh_from_db()
    assert (channel.token, channel.error) == (before, "")
    assert "[warning] Renewing its token failed" in said_of(channel)
    tokens.carry(Told(), channel.pk)
    assert "failed" not in said_of(channel)
    outcomes = list(Entry.objects.filter(call=tokens.CALL).order_by("pk").values_list("outcome", flat=True))
    assert outcomes[-3:] == ["lost", "lost", "done"]
    # The job comes once more: there is nothing to do.
    tokens.carry(Told(), channel.pk)
    assert Entry.objects.filter(call=tokens.CALL).count() == len(outcomes)


def test_a_token_that_a_person_put_in_meanwhile_is_kept(cast: Cast, graph: Graph, account: Account) -> None:
    channel = aged(connected(cast, graph, account, days_old=2), 50, 15)
    graph.clock.advance(2 * DAY)
    stale = Channel.objects.get(pk=channel.pk)
    typed = graph.truth.token(account)
    keeping.replace(channel, typed)
    tokens.renew(stale)
    channel.refresh_from_db()
    assert channel.token.tell() == typed


def test_nothing_goes_out_by_a_token_that_has_ended(cast: Cast, graph: Graph, account: Account) -> None:
    channel = aged(connected(cast, graph, account, days_old=2), 61, -0.1)
    tokens.look()
    assert not jobs.Job.objects.exists()
    channel.refresh_from_db()
    assert channel.error == tokens.ENDED
    assert said_of(channel).count(tokens.ENDED) == 1


def test_the_workers_know_what_to_do() -> None:
    tokens.register()
    kind = find(tokens.KIND)
    assert (kind.resolve(), kind.queue) == (tokens.carry, jobs.Queue.OPEN)


def test_no_token_stands_in_the_database_a_dump_a_log_or_a_sentence(
    cast: Cast, graph: Graph, account: Account, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    channel = connected(cast, graph, account, days_old=2)
    with Echo() as echo:
        monkeypatch.setenv(INSTAGRAM, echo.url)
        aged(channel, 50, 9)
        typed = graph.truth.token(account)
        mistakes = []
        for ask in (
            lambda: tokens.carry(Told(), channel.pk),
            lambda: keeping.replace(channel, typed),
            lambda: keeping.all_well(channel),
            lambda: connect(cast.ada, "instagram", "17841", typed),
        ):
            with pytest.raises(UserError) as mistake:
                ask()
            mistakes.append(f"{mistake.value} {mistake.value.__cause__}")
        assert sum(each in heard for heard in echo.heard for each in graph.truth.tokens) >= 4
    dump = io.StringIO()
    call_command("dumpdata", "publishing", "jobs", stdout=dump)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM publishing_channel")
        rows = repr(cursor.fetchall())
        cursor.execute("SELECT * FROM publishing_entry")
        rows += repr(cursor.fetchall())
    everything = " ".join([dump.getvalue(), rows, caplog.text, said_of(channel), *mistakes, repr(channel.token)])
    assert Entry.objects.filter(outcome=Entry.Outcome.REFUSED, note__contains="…").exists()
    assert len(graph.truth.tokens) == 3
    # Nor any part of one that could be a help.
    assert not [token for token in graph.truth.tokens if token[4:16] in everything]
