"""What is not to happen to a post in doubt, or to one that people change, plan and take back at once."""

import csv
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from tests.studio.conftest import Cast
from tests.studio.publishing.graph import Plan
from tests.studio.publishing.test_outbox import NOON, drafted, keep
from tests.studio.publishing.test_outbox import Way as Folder
from tests.studio.publishing.test_post_pages import act, say
from tests.studio.publishing.test_posting import Way, live, way
from zoetrope.errors import UserError
from zoetrope.studio.personas.workspaces import forget
from zoetrope.studio.planning.rhythm import rhythm_of
from zoetrope.studio.publishing import desk, exchange, strategy
from zoetrope.studio.publishing.accounts import keeping
from zoetrope.studio.publishing.checks import counts
from zoetrope.studio.publishing.models import Channel, Post
from zoetrope.studio.publishing.posting import PACE
from zoetrope.studio.publishing.slotting import slot_on
from zoetrope.studio.publishing.stamping import iso, stamps
from zoetrope.studio.publishing.undoing import Done, undo
from zoetrope.studio.spaces.here import Place
from zoetrope.studio.spaces.models import Role

__all__ = ["way"]
State = Post.State


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"caption": "At the sea."}, {"caption": "At the sea. "}),
        ({"caption": "At the sea.\n\n#sea"}, {"caption": "At the sea.", "hashtags": ["sea"]}),
    ],
)
def test_what_reads_the_same_is_told_apart_by_its_picture(
    way: Way, first: dict[str, object], second: dict[str, object]
) -> None:
    one, other = way.post("teal"), way.post("red")
    for post, said in ((one, first), (other, second)):
        desk.change(post, **said)
        desk.schedule(post, way.now())
    way.graph.faults.once("publish", Plan(before="reset"))
    way.go(one, hours=0.02)
    way.graph.faults.once("publish", Plan(after="lost"))
    way.go(other, hours=0.02)
    for post in (one, other):
        way.go(post, most=400, hours=0.5)
    shown = {each.id: each.container.id for each in way.account.posts}
    for post in (one, other):
        post.refresh_from_db()
        assert not post.media or shown[post.media] == post.container


def test_a_retired_channel_publishes_nothing_more(way: Way) -> None:
    post = way.post()
    way.graph.faults.once("publish", Plan(before="reset"))
    way.go(post, hours=0.02)
    keeping.retire(way.channel)
    way.go(post, most=400, hours=5)
    assert (post.state, post.asks, len(way.account.posts)) == (State.UNCONFIRMED, True, 0)


def test_what_is_found_later_went_out_when_it_did(way: Way) -> None:
    post = way.post()
    way.graph.faults.once("publish", Plan(after="lost"))
    way.go(post, most=2, hours=0)
    for _ in range(12):
        if way.account.posts:
            break
        way.go(post, most=1, hours=0)
    went = way.now()
    way.graph.clock.advance(11 * 3600)
    way.go(post)
    live(way, post)
    assert post.published is not None
    assert abs(post.published - went) < timedelta(minutes=10)
    assert post.due == post.published.replace(microsecond=0)


def test_a_story_in_doubt_is_asked_about_whatever_stands_against_it_by_now(way: Way) -> None:
    way.pace = replace(PACE, asks=timedelta(minutes=20))
    post = way.post(kind="story")
    way.graph.faults.once("publish", Plan(after="lost"))
    way.go(post, hours=0.02)
    way.cast.ada.consent = {}
    way.cast.ada.save()
    way.go(post, most=400, hours=0.6)
    assert post.asks or post.state == State.PUBLISHED


def test_a_consent_that_was_withdrawn_on_the_way_stops_it(way: Way) -> None:
    post = way.post()
    way.go(post, most=1)
    assert post.state == State.CONTAINERS
    way.cast.ada.consent = {}
    way.cast.ada.save()
    way.go(post)
    assert (post.state, way.account.posts) == (State.FAILED, [])
    assert "No consent" in post.error


def test_a_first_comment_with_a_space_behind_it_is_said_once(way: Way) -> None:
    post = way.post()
    desk.change(post, comment="More tomorrow. ")
    desk.schedule(post, way.now())
    for _ in range(3):
        way.graph.faults.once("comment", Plan(after="lost"))
    way.go(post)
    live(way, post)
    assert len(way.truth.posts_with(post.text)[0].comments) == 1


def test_only_what_somebody_saw_is_approved(cast: Cast) -> None:
    post = drafted(cast)
    headers = {"Authorization": f"Bearer {cast.token('olga')}"}
    at = f"/api/spaces/studio/posts/{post.pk}"
    seen = cast.clients["nobody"].get(at, headers=headers).json()["stamp"]
    desk.change(post, caption="Buy my coin!")
    asked = {"do": "schedule", "due": (timezone.now() + timedelta(days=1)).isoformat(), "stamp": seen}
    told = cast.clients["nobody"].post(at, json.dumps(asked), content_type="application/json", headers=headers)
    assert "has changed the post" in str(told.json())
    late = asked | {"due": "2020-01-01T00:00:00Z", "stamp": ""}
    told = cast.clients["nobody"].post(at, json.dumps(late), content_type="application/json", headers=headers)
    assert "has passed" in str(told.json())
    post.refresh_from_db()
    assert post.state == State.DRAFT


def test_undoing_sends_nothing_at_once(cast: Cast) -> None:
    place = Place(cast.space, Role.owner)
    past, later = timezone.now() - timedelta(minutes=1), timezone.now() + timedelta(days=1)
    post = drafted(cast)
    desk.schedule(post, later)
    with pytest.raises(UserError, match="has passed"):
        undo(place, cast.ada, Done("move", (post.pk,), before=iso(past), after=iso(later)))
    desk.take_back(post)
    desk.move(post, past)
    with pytest.raises(UserError, match="has passed"):
        undo(place, cast.ada, Done("take_back", (post.pk,), stamps([post])))
    post.refresh_from_db()
    assert post.state == State.DRAFT


@pytest.mark.django_db(transaction=True)
def test_two_who_plan_at_once_plan_one_week(cast: Cast) -> None:
    for colour in ("red", "teal", "gold", "navy"):
        keep(cast, colour)
    at_once, planned = threading.Barrier(2), []

    def plan() -> None:
        at_once.wait()
        # A test's database lies in memory, where whoever is late is refused instead of waiting.
        for _ in range(500):
            try:
                planned.append(strategy.plan(cast.ada, None, now=NOON))
                break
            except OperationalError:
                time.sleep(0.01)
        connection.close()

    both = [threading.Thread(target=plan) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert len(planned) == 2
    times = list(Post.objects.values_list("due", flat=True))
    assert times
    assert len(set(times)) == len(times)


def test_a_persona_with_posts_under_way_stays(cast: Cast) -> None:
    post = drafted(cast)
    desk.schedule(post, timezone.now())
    with pytest.raises(UserError, match="1 post of it waits to go out"):
        forget(cast.ada)
    desk.take_back(post)
    forget(cast.ada)


def test_a_failed_post_does_not_take_its_picture_from_another(cast: Cast) -> None:
    kept = keep(cast)
    post = drafted(cast, kept)
    Post.objects.filter(pk=post.pk).update(state=State.FAILED)
    post.refresh_from_db()
    drafted(cast, kept)
    with pytest.raises(UserError, match="Another post has one of its pictures"):
        desk.again(post)


def test_whoever_answers_while_the_account_is_asked_has_the_last_word(way: Way) -> None:
    post = way.post()
    way.graph.faults.once("publish", Plan(before="reset"))
    way.go(post, hours=0.02)
    Post.objects.filter(pk=post.pk).update(asks=True)

    class Answering(way.instagram):  # type: ignore[misc, name-defined]
        def recent(self, since):  # type: ignore[no-untyped-def]
            found = super().recent(since)
            desk.answer(Post.objects.get(pk=post.pk), live=False)
            return found

    way.instagram = Answering
    way.go(post, most=1)
    assert (post.state, post.wake, post.holder) == (State.FAILED, None, "")


def test_an_error_of_an_old_token_stops_no_channel_that_has_a_new_one(way: Way) -> None:
    post = way.post()

    class Renewing(way.instagram):  # type: ignore[misc, name-defined]
        def whole(self, *said):  # type: ignore[no-untyped-def]
            Channel.objects.update(token_made=way.now())
            return super().whole(*said)

    way.instagram = Renewing
    way.graph.faults.once("create", Plan(before="190"))
    way.go(post, most=1)
    assert Channel.objects.get(pk=way.channel.pk).error == ""


@pytest.mark.parametrize("same", [True, False])
def test_a_folder_that_lies_in_the_outbox_already_is_this_post_or_none(cast: Cast, tmp_path: Path, same: bool) -> None:
    way = Folder(tmp_path / "outbox")
    post = drafted(cast)
    desk.schedule(post, NOON)
    way.go(post)
    first = way.folder / post.media
    if not same:
        (first / "post.json").write_text("[]")
    fields = {"state": State.SCHEDULED, "wake": NOON, "media": "", "container": "", "published": None, "link": ""}
    Post.objects.filter(pk=post.pk).update(**fields)
    way.go(post)
    assert post.state == State.PUBLISHED
    assert (post.media == first.name) is same
    assert len([each for each in way.folder.iterdir() if not each.name.startswith(".")]) == (1 if same else 2)


@pytest.mark.parametrize(
    ("text", "tags", "mentions"),
    [
        ("#a#b#c", 3, 0),
        ("＃sea", 1, 0),
        ("#\N{FIRE}", 1, 0),
        ("@ada@ben a@b.c", 0, 2),
        ("#a@ada", 1, 0),
        ("&#39;", 0, 0),
    ],
)
def test_what_touches_counts_too(cast: Cast, text: str, tags: int, mentions: int) -> None:
    post = desk.draft(cast.ada, [], None, caption=text)
    assert counts(post) == (tags, mentions)


@pytest.mark.parametrize(
    ("field", "said", "sentence"),
    [
        ("day", "9999-12-31", "The calendar reaches"),
        ("day", "0001-01-01", "The calendar reaches"),
    ],
)
def test_no_day_is_out_of_the_calendar(cast: Cast, field: str, said: str, sentence: str) -> None:
    post = drafted(cast)
    answer = say(cast, "rui", post, **{field: said, "time": "23:00"})
    assert (answer.status_code, sentence in answer.content.decode()) == (422, True)
    for path in (f"posts.csv?since={said}", f"calendar/?day={said}"):
        assert cast.clients["rui"].get(f"/s/studio/p/ada/{path}").status_code < 500
    kept = str(keep(cast, "red").pk)
    answer = cast.clients["rui"].post("/s/studio/p/ada/calendar/add/", {"kept": kept, "day": said})
    assert answer.status_code < 500
    assert act(cast, "rui", post, "drop").status_code == 302


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ({"alt_texts": '["\\ud800"]'}, "cannot be kept"),
        ({"crops": f"[[0,0,{'9' * 400},1]]"}, "four numbers"),
        ({"day": "2027-01-01", "time": "14:30+09:00"}, "no time of day"),
    ],
)
def test_a_table_that_says_the_impossible_is_refused(cast: Cast, cells: dict[str, str], sentence: str) -> None:
    kept = keep(cast)
    names = ["pictures", *cells]
    quoted = [kept.made.sha256, *(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in cells.values())]
    data = f"{','.join(names)}\n{','.join(quoted)}\n".encode()
    with pytest.raises(UserError, match=sentence):
        exchange.take_in(cast.ada, data, None, "UTC")


def test_of_a_table_without_end_no_more_is_read_than_is_taken(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []
    original: Callable[..., object] = csv.DictReader.__next__

    def counted(reader: object) -> object:
        read.append(1)
        return original(reader)

    monkeypatch.setattr(csv.DictReader, "__next__", counted)
    with pytest.raises(UserError, match="at most 500 lines"):
        exchange.take_in(cast.ada, b"caption\n" + b"x\n" * 100_000, None, "UTC")
    assert len(read) <= exchange.MOST_LINES + 1


def test_a_past_time_that_is_typed_is_no_way_to_send_at_once(cast: Cast) -> None:
    post = drafted(cast)
    answer = say(cast, "olga", post, "schedule", day="2020-01-01", time="10:00")
    assert (answer.status_code, "That time has passed" in answer.content.decode()) == (422, True)
    post.refresh_from_db()
    assert (post.state, post.due) == (State.DRAFT, None)


def test_a_day_without_a_time_is_the_days_next_slot(cast: Cast) -> None:
    post, slot = drafted(cast), slot_on(cast.ada, date(2030, 3, 4), rhythm_of(cast.ada))
    assert say(cast, "rui", post, day="2030-03-04", time="").status_code == 302
    post.refresh_from_db()
    assert post.due == slot


def test_what_went_out_stands_where_it_went_out(way: Way) -> None:
    post = way.post()
    planned = post.due
    way.graph.clock.advance(3 * 86_400)
    way.go(post)
    live(way, post)
    assert planned is not None
    assert post.published is not None
    assert post.due == post.published.replace(microsecond=0) > planned


def test_a_form_of_somebody_who_was_logged_out_leads_back_to_its_page(cast: Cast) -> None:
    page = "/s/studio/p/ada/calendar/"
    headers = {"Referer": f"http://testserver{page}"}
    answer = cast.clients["nobody"].post(f"{page}plan/", {}, headers=headers)
    assert (answer.status_code, f"next={page}" in answer.headers["Location"].replace("%2F", "/")) == (302, True)
    assert "was not saved" in cast.clients["nobody"].get(answer.headers["Location"]).content.decode()
    elsewhere = cast.clients["nobody"].post(f"{page}plan/", {}, headers={"Referer": "https://evil.example/x"})
    assert "evil" not in elsewhere.headers["Location"]
    opened = cast.clients["olga"].get(f"{page}plan/")
    assert (opened.status_code, "shows nothing by itself" in opened.content.decode()) == (405, True)
    assert "POST" in opened.headers["Allow"]


def test_a_caption_that_was_put_into_the_form_counts_as_written(cast: Cast) -> None:
    post = drafted(cast)
    page = cast.clients["rui"].post(f"/s/studio/posts/{post.pk}/captions/", {}, headers={"HX-Request": "true"})
    ticket = re.findall(r'name="ticket" value="([^"]+)"', page.content.decode())[0]
    said = {"caption": "Mine, in the end.", "comment": "More tomorrow.", "day": "", "time": ""}
    answer = say(cast, "rui", post, written=ticket, **said)
    assert answer.status_code == 302, re.findall(r"errorlist[^/]*", answer.content.decode())
    post.refresh_from_db()
    assert (post.caption, post.comment) == ("Mine, in the end.", "More tomorrow.")
    assert post.why["written"]["by"]
