"""The calendar and posts as people use them: who may do what, what is kept, what can be undone."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from ninja.testing import TestClient
from PIL import Image
from playwright.sync_api import Page

from tests.studio.conftest import Cast
from tests.studio.publishing.test_calendar import gathered
from tests.studio.publishing.test_outbox import keep
from tests.studio.test_browser import inside, page
from zoetrope.errors import UserError
from zoetrope.studio.library.models import Kept
from zoetrope.studio.planning.models import Pillar, Rhythm, Use
from zoetrope.studio.publishing import checks, desk, suggesting
from zoetrope.studio.publishing.api import router
from zoetrope.studio.publishing.models import Channel, Entry, Post, PostPicture
from zoetrope.studio.publishing.post_views import FOLD, neighbours
from zoetrope.studio.writing.models import Edit

__all__ = ["inside", "page"]

State = Post.State
CALENDAR, MOST_QUERIES = "/s/studio/p/ada/calendar/", 16
ROME = ZoneInfo("Europe/Rome")


@pytest.fixture
def rhythm(cast: Cast) -> Rhythm:
    return Rhythm.objects.create(persona=cast.ada, zone="Europe/Rome", posts_per_week=3)


@pytest.fixture
def post(cast: Cast, rhythm: Rhythm) -> Post:
    """A draft with a picture, for next week at half past nine in Rome."""
    day = timezone.now().astimezone(ROME).date() + timedelta(days=7)
    due = datetime(day.year, day.month, day.day, 9, 30, tzinfo=ROME)
    return desk.draft(cast.ada, [keep(cast)], cast.user("rui"), due=due, caption="At the sea.", hashtags=["sea"])


class Fields(HTMLParser):
    """What a browser would send of the page's form with this id."""

    def __init__(self, page: str, form: str) -> None:
        super().__init__()
        self._form, self._inside, self._name, self._select = form, False, "", ""
        self.found: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = told.get("id") == self._form
        if not self._inside or (tag != "option" and not told.get("name")):
            return
        if tag == "textarea":
            self._name = told["name"]
            self.found[self._name] = ""
        elif tag == "select":
            self._select = told["name"]
        elif tag == "option" and ("selected" in told or self._select not in self.found):
            self.found[self._select] = told.get("value", "")
        elif tag == "input" and (told.get("type") != "checkbox" or "checked" in told):
            self.found[told["name"]] = told.get("value", "on")

    def handle_endtag(self, tag: str) -> None:
        self._name = "" if tag == "textarea" else self._name
        self._inside = self._inside and tag != "form"

    def handle_data(self, data: str) -> None:
        if self._name:
            self.found[self._name] += data.removeprefix("\n").replace("\n", "\r\n")


def page_of(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return answer.content.decode()


def say(cast: Cast, who: str, post: Post, do: str = "save", **said: str) -> Any:
    """Change these fields on the post's page, as a browser does."""
    address = f"/s/studio/posts/{post.pk}/"
    fields = Fields(page_of(cast.clients[who], address), "post").found
    return cast.clients[who].post(address, fields | said | {"do": do})


def act(cast: Cast, who: str, post: Post, do: str, **said: str) -> Any:
    return cast.clients[who].post(f"/s/studio/posts/{post.pk}/act/", {"do": do} | said)


def undo(cast: Cast, who: str, answer: Any) -> Any:
    """Press the undo that the page offers after what was done."""
    page = page_of(cast.clients[who], answer.headers["Location"])
    tickets = re.findall(r'name="ticket" value="([^"]+)"', page)
    assert len(tickets) == 1, "no undo is offered"
    return cast.clients[who].post(f"{CALENDAR}undo/", {"ticket": tickets[0], "back": CALENDAR}, follow=True)


def when(post: Post) -> str:
    post.refresh_from_db()
    return f"{post.due.astimezone(ROME):%Y-%m-%d %H:%M}" if post.due else ""


def test_the_month_shows_posts_where_the_personas_clocks_put_them(cast: Cast, rhythm: Rhythm) -> None:
    desk.draft(cast.ada, [keep(cast)], None, due=datetime(2026, 7, 31, 22, 30, tzinfo=UTC), caption="Late")
    shown = (("month", "2026-08-20", True), ("month", "2026-06-20", False), ("week", "2026-08-01", True))
    for view, day, there in shown:
        page = page_of(cast.clients["vic"], f"{CALENDAR}?view={view}&day={day}")
        assert ('<time datetime="2026-07-31T22:30:00+00:00">00:30</time>' in page) == there, (view, day)
        assert "Europe/Rome" in page
    assert "Late" in page_of(cast.clients["vic"], f"{CALENDAR}?view=list&day=2026-07-20")
    assert "No post in these four weeks" in page_of(cast.clients["vic"], f"{CALENDAR}?view=list&day=2027-07-20")
    assert "draggable" not in page_of(cast.clients["vic"], f"{CALENDAR}?day=2026-08-20")
    assert page_of(cast.clients["vic"], f"{CALENDAR}?day=20.7.26", 400).count("is no day")


def test_a_picture_on_a_day_is_a_draft_at_its_next_slot_and_can_be_undone(cast: Cast, rhythm: Rhythm) -> None:
    kept, day = keep(cast), str(timezone.now().astimezone(ROME).date() + timedelta(days=10))
    assert f'value="{kept.pk}"' in page_of(cast.clients["rui"], f"{CALENDAR}pictures/")
    answer = cast.clients["rui"].post(f"{CALENDAR}add/", {"kept": kept.pk, "day": day, "back": f"{CALENDAR}?view=week"})
    post = Post.objects.get()
    assert when(post) in (f"{day} 11:00", f"{day} 12:00"), "its slot, or noon where it has none"
    assert (post.state, post.by, Use.objects.get().kept) == (State.DRAFT, cast.user("rui"), kept)
    assert f'value="{kept.pk}"' not in page_of(cast.clients["rui"], f"{CALENDAR}pictures/"), "it is not free any more"
    assert answer.headers["Location"].startswith(f"{CALENDAR}?view=week&done=")
    assert "free again" in undo(cast, "rui", answer).content.decode()
    assert not Post.objects.exists()
    assert not Use.objects.exists()


def test_a_day_that_has_passed_takes_no_picture(cast: Cast, rhythm: Rhythm) -> None:
    said = {"kept": keep(cast).pk, "day": "2026-01-05"}
    answer = cast.clients["rui"].post(f"{CALENDAR}add/", said)
    assert (answer.status_code, "has passed" in answer.content.decode()) == (400, True)
    assert not Post.objects.exists()


def test_more_pictures_than_a_post_shows_make_none(cast: Cast, rhythm: Rhythm) -> None:
    kept = [keep(cast, f"#0000{number:02}").pk for number in range(checks.MOST + 1)]
    assert cast.clients["rui"].post(f"{CALENDAR}add/", {"kept": kept}).status_code == 400
    assert cast.clients["rui"].post(f"{CALENDAR}add/", {"kept": []}).status_code == 400
    assert not Post.objects.exists()


def test_several_pictures_make_a_carousel_without_a_time(cast: Cast, rhythm: Rhythm) -> None:
    kept = [keep(cast, colour) for colour in ("red", "blue")]
    cast.clients["rui"].post(f"{CALENDAR}add/", {"kept": [each.pk for each in reversed(kept)]})
    post = Post.objects.get()
    assert (post.kind, post.due) == ("carousel", None)
    assert [each.made for each in post.pictures.all()] == [kept[1].made, kept[0].made]
    page = page_of(cast.clients["rui"], CALENDAR)
    assert f'data-post="{post.pk}"' in page[page.index('id="tray"') :]


def test_a_move_keeps_the_local_time_of_day_over_the_change_of_clocks(cast: Cast, rhythm: Rhythm) -> None:
    # The last Sunday of October: before it Rome is two hours ahead, after it one.
    post = desk.draft(cast.ada, [keep(cast)], None, due=datetime(2030, 10, 26, 7, 30, tzinfo=UTC))
    answer = cast.clients["rui"].post(f"{CALENDAR}move/", {"post": post.pk, "day": "2030-10-28"})
    assert (when(post), post.due) == ("2030-10-28 09:30", datetime(2030, 10, 28, 8, 30, tzinfo=UTC))
    assert Use.objects.get().at == post.due
    assert "back where it was" in undo(cast, "rui", answer).content.decode()
    assert when(post) == "2030-10-26 09:30"
    cast.clients["rui"].post(f"{CALENDAR}move/", {"post": post.pk, "day": "2030-10-27", "time": "18:15"})
    assert when(post) == "2030-10-27 18:15"
    cast.clients["rui"].post(f"{CALENDAR}move/", {"post": post.pk, "day": ""})
    assert when(post) == ""


def test_an_undo_that_comes_too_late_changes_nothing(cast: Cast, post: Post) -> None:
    answer = cast.clients["rui"].post(f"{CALENDAR}move/", {"post": post.pk, "day": "2030-01-01"})
    desk.move(post, datetime(2031, 1, 1, tzinfo=UTC))
    assert undo(cast, "rui", answer).status_code == 400
    assert when(post).startswith("2031-01-01")
    assert cast.clients["rui"].post(f"{CALENDAR}undo/", {"ticket": "made up"}).status_code == 400


def test_only_owners_move_what_is_approved_and_not_into_the_past(cast: Cast, post: Post) -> None:
    desk.schedule(post)
    before = when(post)
    said = {"post": post.pk, "day": "2030-05-05"}
    assert cast.clients["rui"].post(f"{CALENDAR}move/", said).status_code == 403
    assert cast.clients["vic"].post(f"{CALENDAR}move/", said).status_code == 403
    assert cast.clients["olga"].post(f"{CALENDAR}move/", said | {"day": "2020-05-05"}).status_code == 400
    assert cast.clients["olga"].post(f"{CALENDAR}move/", said | {"day": ""}).status_code == 400
    assert when(post) == before
    cast.clients["olga"].post(f"{CALENDAR}move/", said)
    assert (when(post), post.state, post.wake) == ("2030-05-05 09:30", State.SCHEDULED, post.due)


def test_moving_without_script_is_a_form(cast: Cast, post: Post) -> None:
    page = page_of(cast.clients["rui"], f"{CALENDAR}?day={when(post)[:10]}")
    link = re.search(rf'href="([^"]+move={post.pk})#move"', page)
    assert link is not None
    form = Fields(page_of(cast.clients["rui"], link[1].replace("&amp;", "&")), "move").found
    assert (form["post"], form["day"], form["time"]) == (str(post.pk), when(post)[:10], "09:30")


def test_conflicts_are_told_after_a_move(cast: Cast, post: Post) -> None:
    other = desk.draft(cast.ada, [keep(cast, "red")], None)
    said = {"post": other.pk, "day": when(post)[:10], "time": "09:50"}
    answer = cast.clients["rui"].post(f"{CALENDAR}move/", said)
    page = page_of(cast.clients["rui"], answer.headers["Location"])
    assert "within half an hour" in page
    assert page_of(cast.clients["rui"], f"{CALENDAR}?day={when(post)[:10]}").count("close to another") == 2


def test_saving_what_nobody_touched_changes_nothing(cast: Cast, post: Post) -> None:
    post.pictures.update(crop={"left": 1 / 3, "top": 0.0, "width": 0.5, "height": 0.5}, alt="two  spaces")
    odd = {"caption": " Three\nlines,\n\nand <b> & more ", "hashtags": ["sea", "Sea"], "comment": "\nFirst"}
    Post.objects.filter(pk=post.pk).update(**odd, due=datetime(2030, 10, 27, 1, 30, 7, tzinfo=UTC))
    desk.schedule(Post.objects.get(pk=post.pk))
    before = Post.objects.values().get(), PostPicture.objects.values().get()
    assert say(cast, "rui", post).status_code == 302
    assert (Post.objects.values().get(), PostPicture.objects.values().get()) == before


def test_words_pictures_and_time_are_saved_together(cast: Cast, post: Post) -> None:
    desk.show(post, [*Kept.objects.all(), keep(cast, "red"), keep(cast, "blue")])
    first, second, third = (f"picture-{each.pk}-" for each in post.pictures.all())
    pillar = Pillar.objects.create(space=cast.space, persona=cast.ada, name="Sea")
    said = {"caption": "Two\r\nlines ", "hashtags": "#sun, sea  sun", "comment": "More.", "pillar": str(pillar.pk)}
    said |= {"day": "2030-02-03", "time": "18:45", f"{first}alt": " A  teal\nsquare ", f"{first}place": "9"}
    said |= {f"{second}left": "10", f"{second}width": "80", f"{third}out": "on"}
    assert say(cast, "rui", post, **said).status_code == 302
    assert when(post) == "2030-02-03 18:45"
    assert (post.caption, post.hashtags, post.comment, post.pillar) == ("Two\nlines ", ["sun", "sea"], "More.", pillar)
    rows = list(post.pictures.all())
    assert [row.made.kept.get().title for row in rows] == ["red", "teal"]
    assert (rows[1].alt, rows[0].crop) == ("A teal square", {"left": 0.1, "top": 0, "width": 0.8, "height": 1})
    assert {(use.kept and use.kept.title, use.pillar) for use in Use.objects.all()} == {
        ("red", pillar),
        ("teal", pillar),
    }
    assert post.labelled, "unless somebody says otherwise"


def test_what_cannot_be_is_said_beside_what_was_typed(cast: Cast, post: Post) -> None:
    crop = f"picture-{post.pictures.get().pk}-"
    for said, sentence in (
        ({"hashtags": "good not-good"}, "is no hashtag"),
        ({"day": ""}, "A time needs its day"),
        ({f"{crop}width": "20"}, "from 4:5 to 1.91:1"),
        ({f"{crop}width": "5"}, "at least 10%"),
        ({f"{crop}left": "50"}, "within the picture"),
        ({"caption": "x" * 5001}, "at most 5,000"),
    ):
        answer = say(cast, "rui", post, **({"caption": "Typed for long."} | said))
        assert answer.status_code == 422, said
        page = answer.content.decode()
        assert sentence in page, said
        assert said.get("caption", "Typed for long.") in page
    post.refresh_from_db()
    assert post.caption == "At the sea."


def test_who_saves_an_old_page_overwrites_nothing(cast: Cast, post: Post) -> None:
    address = f"/s/studio/posts/{post.pk}/"
    fields = Fields(page_of(cast.clients["olga"], address), "post").found
    desk.change(post, caption="Another idea.")
    answer = cast.clients["olga"].post(address, fields | {"do": "schedule"})
    assert (answer.status_code, "has changed the post" in answer.content.decode()) == (422, True)
    post.refresh_from_db()
    assert (post.caption, post.state) == ("Another idea.", State.DRAFT), "nobody approves what he has not seen"


def test_reviewers_write_and_owners_approve(cast: Cast, post: Post) -> None:
    assert say(cast, "rui", post, do="schedule").status_code == 403
    assert say(cast, "rui", post, caption="By Rui.").status_code == 302
    assert 'value="schedule"' not in page_of(cast.clients["rui"], f"/s/studio/posts/{post.pk}/")
    answer = say(cast, "olga", post, do="schedule", caption="By Olga.")
    post.refresh_from_db()
    assert (post.state, post.caption, post.wake) == (State.SCHEDULED, "By Olga.", post.due)
    assert "draft again" in undo(cast, "rui", answer).content.decode(), "whoever reviews may stop it"
    post.refresh_from_db()
    assert (post.state, post.wake) == (State.DRAFT, None)


def test_a_changed_post_is_a_draft_again_and_a_moved_one_is_not(cast: Cast, post: Post) -> None:
    desk.schedule(post)
    say(cast, "olga", post, day="2030-03-04")
    assert (when(post), post.state) == ("2030-03-04 09:30", State.SCHEDULED)
    assert say(cast, "rui", post, day="2030-03-05").status_code == 403
    say(cast, "rui", post, caption="Otherwise.")
    post.refresh_from_db()
    assert (post.state, post.caption, post.wake) == (State.DRAFT, "Otherwise.", None)


def test_a_faulty_post_is_not_approved(cast: Cast, post: Post) -> None:
    many = " ".join(f"tag{number}" for number in range(31))
    answer = say(cast, "olga", post, do="schedule", hashtags=many)
    assert (answer.status_code, "31 hashtags" in answer.content.decode()) == (422, True)
    post.refresh_from_db()
    assert (post.state, post.hashtags) == (State.DRAFT, ["sea"])
    again = Fields(answer.content.decode(), "post").found
    assert again["hashtags"] == " ".join(f"#{tag}" for tag in many.split()) or again["hashtags"] == many
    at = f"/s/studio/posts/{post.pk}/"
    answer = cast.clients["olga"].post(at, again | {"do": "schedule", "hashtags": "one two"})
    assert answer.status_code == 302, "nobody else has changed it"
    post.refresh_from_db()
    assert (post.state, post.hashtags) == (State.SCHEDULED, ["one", "two"])


def test_a_second_click_does_not_write_over_somebody_else(cast: Cast, post: Post) -> None:
    at = f"/s/studio/posts/{post.pk}/"
    fields = Fields(page_of(cast.clients["rui"], at), "post").found
    desk.change(post, caption="Hers.")
    for _ in range(2):
        answer = cast.clients["rui"].post(at, fields | {"caption": "His.", "do": "save"})
        assert (answer.status_code, "has changed the post" in answer.content.decode()) == (422, True)
        fields = Fields(answer.content.decode(), "post").found
    post.refresh_from_db()
    assert post.caption == "Hers."


def test_an_approval_that_is_not_ones_own_is_not_undone(cast: Cast, post: Post) -> None:
    answer = say(cast, "olga", post, do="schedule")
    post.refresh_from_db()
    desk.change(post, caption="Another's.")
    desk.schedule(post)
    assert undo(cast, "olga", answer).status_code == 400
    post.refresh_from_db()
    assert post.state == State.SCHEDULED


def test_what_was_posted_by_hand_is_told_where(cast: Cast, post: Post) -> None:
    there, at = "https://example.com/p/1", f"/s/studio/posts/{post.pk}/"
    assert act(cast, "rui", post, "linked", link=there).status_code == 400, "it lies in no outbox yet"
    Post.objects.update(state=State.PUBLISHED, media="2026-11-22-post-1", link="2026-11-22-post-1")
    for wrong in ("http://example.com", "javascript:alert(1)", f"https://{'x' * 300}"):
        assert act(cast, "rui", post, "linked", link=wrong).status_code == 400, wrong
    assert act(cast, "vic", post, "linked", link=there).status_code == 403
    assert act(cast, "rui", post, "linked", link=there).status_code == 302
    page = page_of(cast.clients["vic"], at)
    assert f'<a href="{there}" rel="noopener noreferrer">See it there</a>' in page
    assert "in the folder 2026-11-22-post-1" in page
    assert "Posted by hand" not in page, "viewers look"
    assert Fields(page_of(cast.clients["rui"], at), "by-hand").found["link"] == there
    cast.clients["rui"].post(f"/api{at.replace('/s/', '/spaces/').rstrip('/')}", {"do": "linked"}, "application/json")
    post.refresh_from_db()
    assert post.link == post.media
    Post.objects.update(channel=Channel.objects.create(space=cast.space, persona=cast.ada, name="I", kind="instagram"))
    assert act(cast, "rui", post, "linked", link=there).status_code == 400


def test_taking_back_can_be_undone_by_an_owner(cast: Cast, post: Post) -> None:
    desk.schedule(post)
    answer = act(cast, "olga", post, "take_back")
    post.refresh_from_db()
    assert post.state == State.DRAFT
    assert undo(cast, "rui", answer).status_code == 403
    assert "waits to go out again" in undo(cast, "olga", answer).content.decode()
    post.refresh_from_db()
    assert post.state == State.SCHEDULED
    answer = act(cast, "olga", post, "take_back")
    desk.change(Post.objects.get(), caption="Since then.")
    assert undo(cast, "olga", answer).status_code == 400, "nobody approved this"


def test_what_failed_is_mended_or_tried_again(cast: Cast, post: Post) -> None:
    def fail() -> None:
        Post.objects.filter(pk=post.pk).update(state=State.FAILED, asks=True, error="The shape is wrong.")
        Use.objects.all().delete()
        post.refresh_from_db()

    fail()
    assert "The shape is wrong." in page_of(cast.clients["vic"], f"/s/studio/posts/{post.pk}/")
    assert act(cast, "rui", post, "again").status_code == 403
    assert act(cast, "olga", post, "again").status_code == 302
    post.refresh_from_db()
    assert (post.state, Use.objects.count()) == (State.SCHEDULED, 1)
    fail()
    say(cast, "rui", post, caption="Mended.")
    post.refresh_from_db()
    assert (post.state, post.caption, post.asks, post.error) == (State.DRAFT, "Mended.", False, "")
    assert Use.objects.count() == 1, "its picture is not free"
    fail()
    desk.schedule(post, timezone.now() + timedelta(days=1))
    assert Use.objects.get().post == post.pk, "approved as it was it holds its picture too"
    fail()
    act(cast, "rui", post, "drop")
    assert not Post.objects.exists()


def test_what_goes_out_meanwhile_is_neither_changed_nor_thrown_away(cast: Cast, post: Post) -> None:
    old = Post.objects.get(pk=post.pk)
    desk.schedule(post)
    late: tuple[Callable[[], object], ...] = (
        lambda: desk.drop(old),
        lambda: desk.change(old, caption="Late."),
        lambda: desk.show(old, [keep(cast, "red")]),
        lambda: desk.arrange(old, []),
        lambda: desk.move(old, datetime(2031, 1, 1, tzinfo=UTC)),
    )
    for wrong in late:
        with pytest.raises(UserError):
            wrong()
    post.refresh_from_db()
    assert (post.caption, post.pictures.count(), post.state) == ("At the sea.", 1, State.SCHEDULED)
    Post.objects.filter(pk=post.pk).update(state=State.PUBLISHING)
    assert 'id="post"' not in page_of(cast.clients["olga"], f"/s/studio/posts/{post.pk}/")
    assert act(cast, "olga", post, "take_back").status_code == 400


def test_a_person_says_what_became_of_it(cast: Cast, post: Post) -> None:
    Post.objects.filter(pk=post.pk).update(state=State.UNCONFIRMED, asks=True)
    page = page_of(cast.clients["rui"], f"/s/studio/posts/{post.pk}/")
    assert "Is it live?" in page
    assert act(cast, "rui", post, "live", link="javascript:alert(1)").status_code == 400
    act(cast, "rui", post, "live", link="https://instagram.com/p/1")
    post.refresh_from_db()
    assert (post.state, post.asks, Use.objects.get().posted) == (State.PUBLISHED, False, True)
    assert 'href="https://instagram.com/p/1"' in page_of(cast.clients["vic"], f"/s/studio/posts/{post.pk}/")
    Post.objects.filter(pk=post.pk).update(state=State.UNCONFIRMED, asks=True)
    act(cast, "rui", post, "not_live")
    post.refresh_from_db()
    assert post.state == State.FAILED


def test_a_duplicate_says_and_shows_the_same(cast: Cast, post: Post) -> None:
    desk.arrange(post, [desk.Shown(post.pictures.get().pk, "Teal.", {"left": 0, "top": 0, "width": 1, "height": 0.8})])
    desk.change(post, comment="More.", labelled=False)
    act(cast, "rui", post, "duplicate")
    copy = Post.objects.latest("pk")
    same = ("caption", "hashtags", "comment", "labelled", "kind", "channel_id")
    assert [getattr(copy, name) for name in same] == [getattr(post, name) for name in same]
    assert [(row.made_id, row.alt, row.crop) for row in copy.pictures.all()] == [
        (row.made_id, row.alt, row.crop) for row in post.pictures.all()
    ]
    assert (copy.due, copy.state) == (None, State.DRAFT)
    page = page_of(cast.clients["vic"], f"/s/studio/posts/{copy.pk}/")
    assert "in another post already" in page
    assert "word for word" in page


def test_pictures_are_added_or_put_in_place_of_its_own(cast: Cast, post: Post) -> None:
    red, blue = keep(cast, "red"), keep(cast, "blue")
    page = page_of(cast.clients["rui"], f"{CALENDAR}pictures/?post={post.pk}")
    assert f'action="/s/studio/posts/{post.pk}/act/"' in page
    act(cast, "rui", post, "add", kept=str(red.pk))
    post.refresh_from_db()
    assert (post.kind, post.pictures.count()) == ("carousel", 2)
    act(cast, "rui", post, "add", kept=str(blue.pk), instead="1")
    post.refresh_from_db()
    assert (post.kind, post.pictures.get().made) == ("image", blue.made)
    assert Use.objects.get().kept == blue
    assert act(cast, "rui", post, "add").status_code == 400


def test_three_captions_are_offered_and_an_edit_is_an_example(cast: Cast, post: Post) -> None:
    address = f"/s/studio/posts/{post.pk}/captions/"
    page = cast.clients["rui"].post(address, {"length": "short"}, headers={"HX-Request": "true"}).content.decode()
    tickets = re.findall(r'name="ticket" value="([^"]+)"', page)
    assert len(tickets) == 3
    assert page.count("template") >= 3, "it is said who wrote them"
    act(cast, "rui", post, "choose", ticket=tickets[1])
    post.refresh_from_db()
    written = suggesting.read(post, tickets[1])
    assert (post.caption, post.hashtags) == (written.text, list(written.hashtags))
    assert "wrote it" in page_of(cast.clients["vic"], f"/s/studio/posts/{post.pk}/")
    say(cast, "rui", post, caption="In my own words.")
    assert not Edit.objects.exists(), "nobody has approved it"
    say(cast, "olga", post, do="schedule")
    edit = Edit.objects.get()
    assert (edit.before, edit.after, edit.persona) == (written.text.strip(), "In my own words.", cast.ada)
    post.refresh_from_db()
    assert "written" not in post.why
    other = desk.draft(cast.ada, [], None)
    assert act(cast, "rui", other, "choose", ticket=tickets[0]).status_code == 400, "written for another post"


def test_planning_fills_the_days_and_undo_empties_them(cast: Cast, rhythm: Rhythm) -> None:
    gathered(cast)
    assert cast.clients["vic"].post(f"{CALENDAR}plan/").status_code == 403
    answer = cast.clients["rui"].post(f"{CALENDAR}plan/", {"days": "14", "back": CALENDAR})
    posts = list(Post.objects.all())
    assert len(posts) >= 4
    page = page_of(cast.clients["vic"], f"/s/studio/posts/{posts[0].pk}/")
    assert "Why this post" in page
    assert "Next best" in page
    desk.change(posts[0], caption="Mine now.")
    told = undo(cast, "rui", answer).content.decode()
    assert "1 that somebody has changed stays" in told, re.findall(r"class=.note[^<]*<", told)
    assert list(Post.objects.all()) == [posts[0]]
    assert Use.objects.count() == 1
    empty = cast.clients["rui"].post(f"{CALENDAR}plan/", {"days": "0" * 30}, follow=True)
    assert empty.status_code == 200


def test_the_preview_is_what_goes_out_and_folds_where_phones_do(cast: Cast, rhythm: Rhythm) -> None:
    post = desk.draft(cast.ada, [keep(cast, size=(400, 800))], None, caption="ä" * 130)
    page = page_of(cast.clients["vic"], f"/s/studio/posts/{post.pk}/preview/")
    assert f"<span data-shown>{'ä' * FOLD}</span>" in page
    assert f"<span data-hidden>{'ä' * (130 - FOLD)}\n\n" not in page, "no hashtags, no gap"
    row = post.pictures.get()
    answer = cast.clients["vic"].get(f"/s/studio/posts/{post.pk}/picture/{row.pk}.jpg")
    with Image.open(BytesIO(answer.content)) as image:
        assert (image.format, image.width / image.height) == ("JPEG", 0.8)


def test_the_profile_shows_it_among_its_neighbours(cast: Cast, rhythm: Rhythm) -> None:
    at = datetime(2030, 1, 10, 12, tzinfo=UTC)
    posts = [desk.draft(cast.ada, [], None, due=at + timedelta(days=day)) for day in range(-10, 5)]
    shown = [each.due for each, _ in neighbours(posts[10]) if each.due]
    assert len(shown) == 12
    assert shown == sorted(shown, reverse=True)
    assert shown[3] == at, "after those that come later"
    alone = desk.draft(cast.ada, [], None)
    assert alone in [each for each, _ in neighbours(alone)]


def test_the_counters_on_the_page_count_as_the_checks_do(cast: Cast, post: Post) -> None:
    text = "Hi @ada, mail a@b.c &#35 #ä_1 #日本 x#no \N{WAVING HAND SIGN}" + " #x" * 3
    desk.change(post, caption=text, hashtags=["sea", "sun"])
    page = page_of(cast.clients["rui"], f"/s/studio/posts/{post.pk}/")
    counted = {name: int(count) for name, count in re.findall(r'data-counter="(\w+)"[^>]*><b>(\d+)</b>', page)}
    tags, mentions = checks.counts(post)
    assert counted == {"characters": len(post.text), "hashtags": tags, "mentions": mentions}
    assert (tags, mentions) == (7, 1)


def test_the_ledger_is_on_the_page_in_the_personas_time(cast: Cast, post: Post) -> None:
    assert post.channel is not None
    at = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    about: dict[str, Any] = {"channel": post.channel, "post": post, "at": at}
    Entry.objects.create(
        call="publish", outcome="refused", status=400, code=9, subcode=2207042, note="Enough.", **about
    )
    page = page_of(cast.clients["vic"], f"/s/studio/posts/{post.pk}/")
    assert "2026-07-02 00:30:00" in page
    assert "(9/2207042)" in page


def test_another_spaces_posts_are_not_there(cast: Cast, post: Post) -> None:
    for address in ("", "preview/", f"picture/{post.pictures.get().pk}.jpg"):
        assert cast.clients["sam"].get(f"/s/studio/posts/{post.pk}/{address}").status_code == 404
        assert cast.clients["sam"].get(f"/s/elsewhere/posts/{post.pk}/{address}").status_code == 404
    for address, said in (("act/", {"do": "drop"}), ("captions/", {}), ("", {"do": "save"})):
        assert cast.clients["sam"].post(f"/s/elsewhere/posts/{post.pk}/{address}", said).status_code == 404
    assert cast.clients["sam"].get(CALENDAR).status_code == 404
    elsewhere = Post.objects.count()
    for do in ("add", "move", "undo", "plan"):
        assert cast.clients["sam"].post(f"{CALENDAR}{do}/", {"post": post.pk, "kept": 1}).status_code == 404
    assert Post.objects.count() == elsewhere


def test_a_page_goes_back_within_the_site_alone(cast: Cast, rhythm: Rhythm) -> None:
    for wrong in ("https://evil.example/s/", "//evil.example", "/s/\\evil", "javascript:x"):
        answer = cast.clients["rui"].post(f"{CALENDAR}add/", {"kept": keep(cast, "red").pk, "back": wrong})
        assert answer.headers["Location"].startswith((CALENDAR, "/s/")), wrong
        assert "evil.example" not in answer.headers["Location"]
        Post.objects.all().delete()
        Use.objects.all().delete()
        Kept.objects.all().delete()


def test_pages_ask_as_often_for_many_posts_as_for_few(cast: Cast, rhythm: Rhythm) -> None:
    counts = []
    for many in (3, 40):
        for number in range(many):
            due = datetime(2030, 5, 1 + number % 28, 8, tzinfo=UTC) if number % 4 else None
            post = desk.draft(cast.ada, [keep(cast, f"#{number:02}{many:04}")], None, due=due)
        paths = [f"{CALENDAR}?view={view}&day=2030-05-02" for view in ("month", "week", "list")]
        of_post = f"/s/studio/posts/{post.pk}/"
        paths += [f"{CALENDAR}pictures/", f"{CALENDAR}table/", of_post, f"{of_post}preview/"]
        counts.append([asked(cast.clients["olga"], path) for path in paths])
    assert counts[0] == counts[1]
    assert max(counts[0]) <= MOST_QUERIES, counts


def asked(client: Client, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


class Program:
    """A member's program: refusals are statuses, as the API answers them."""

    def __init__(self, cast: Cast) -> None:
        self._cast, self._client = cast, TestClient(router)

    def __call__(self, who: str, method: str, path: str, said: Any = None) -> tuple[int, Any]:
        try:
            answer = self._client.request(method, path, json=said, user=self._cast.user(who))
        except UserError:
            return 400, None
        except PermissionDenied:
            return 403, None
        return answer.status_code, answer.json() if answer.content else None


def test_a_program_does_all_that_pages_do(cast: Cast, rhythm: Rhythm) -> None:
    ask, kept = Program(cast), keep(cast)
    of = "/spaces/studio/personas/ada/posts"
    said = {"caption": "Hi.", "hashtags": ["#sea"], "due": "2030-05-05T09:00:00+02:00", "labelled": False}
    said |= {"pictures": [{"kept": kept.pk, "alt": "Teal.", "crop": {"left": 0, "top": 0, "width": 1, "height": 0.8}}]}
    assert ask("vic", "POST", of, said)[0] == 403
    assert ask("sam", "POST", of, said)[0] == 404
    status, made = ask("rui", "POST", of, said)
    assert (status, made["hashtags"], made["due"]) == (201, ["sea"], "2030-05-05T07:00:00Z")
    assert (made["pictures"][0]["kept"], made["pictures"][0]["crop"]["height"]) == (kept.pk, 0.8)
    assert made["counts"] == {"characters": 9, "hashtags": 1, "mentions": 0, "comment": 0}
    path = f"/spaces/studio/posts/{made['id']}"
    assert [each["id"] for each in ask("vic", "GET", f"{of}?since=2030-05-01&until=2030-06-01")[1]] == [made["id"]]
    assert ask("vic", "GET", f"{of}?until=2030-05-05T07:00:00Z")[1] == []
    assert ask("vic", "GET", f"{of}?timeless=true")[1] == []
    assert ask("sam", "GET", f"/spaces/elsewhere/posts/{made['id']}")[0] == 404
    about: dict[str, Any] = {"channel": Channel.objects.get(), "post_id": made["id"], "at": timezone.now()}
    Entry.objects.create(call="status", outcome="done", status=200, **about)
    assert [each["call"] for each in ask("vic", "GET", path)[1]["entries"]] == ["status"]
    assert ask("rui", "PATCH", path, {"caption": "Ho.", "due": None})[1]["due"] is None
    assert ask("rui", "POST", path, {"do": "schedule", "due": "2030-05-06T09:00:00Z"})[0] == 403
    status, told = ask("olga", "POST", path, {"do": "schedule", "due": "2030-05-06T09:00:00Z"})
    assert (status, told["state"], told["caption"]) == (200, "scheduled", "Ho.")
    assert ask("rui", "PATCH", path, {"due": "2030-05-07T09:00:00Z"})[0] == 403
    assert ask("rui", "POST", path, {"do": "take_back"})[1]["state"] == "draft"
    assert ask("rui", "POST", path, {"do": "live"})[0] == 400
    status, copy = ask("rui", "POST", path, {"do": "duplicate"})
    assert copy["id"] != made["id"]
    assert len(ask("rui", "POST", f"{path}/captions", {"length": "short"})[1]) == 3
    assert ask("rui", "DELETE", path)[0] == 204
    gathered(cast)
    assert ask("rui", "POST", f"{of}/plan", {"days": 7})[0] == 201


@pytest.mark.parametrize(
    "said",
    [
        {"caption": "x" * 5001},
        {"hashtags": ["no-tag"]},
        {"due": "2030-05-05T09:00:00"},
        {"due": "9999-05-05T09:00:00Z"},
        {"pillar": 99},
        {"channel": 99},
        {"pictures": [{"kept": 99}]},
        {"else": 1},
    ],
)
def test_a_program_that_says_nonsense_leaves_nothing_behind(cast: Cast, said: dict[str, Any]) -> None:
    assert Program(cast)("rui", "POST", "/spaces/studio/personas/ada/posts", said)[0] in (400, 404, 422)
    assert not Post.objects.exists()


def test_a_crop_that_no_feed_shows_leaves_no_draft(cast: Cast) -> None:
    crop = {"left": 0, "top": 0, "width": 0.2, "height": 1}
    said = {"pictures": [{"kept": keep(cast).pk, "crop": crop}]}
    assert Program(cast)("rui", "POST", "/spaces/studio/personas/ada/posts", said)[0] == 400
    assert not Post.objects.exists()
    assert not Use.objects.exists()


def test_the_home_page_shows_what_comes(cast: Cast, post: Post) -> None:
    page = page_of(cast.clients["vic"], "/s/studio/p/ada/")
    assert f'href="/s/studio/posts/{post.pk}/"' in page
    assert "09:30" in page
    Post.objects.filter(pk=post.pk).update(asks=True, state=State.UNCONFIRMED)
    assert "has to look at" in page_of(cast.clients["vic"], "/s/studio/p/ada/")


def test_a_retired_channel_is_not_offered(cast: Cast, post: Post) -> None:
    Channel.objects.create(space=cast.space, persona=cast.ada, name="Gone", retired=timezone.now())
    assert "Gone" not in page_of(cast.clients["rui"], f"/s/studio/posts/{post.pk}/")


def days_in(page: str) -> Iterator[date]:
    return (date.fromisoformat(each) for each in re.findall(r'data-day="(\d{4}-\d{2}-\d{2})"', page))


def test_every_day_of_a_month_can_be_dropped_on(cast: Cast, rhythm: Rhythm) -> None:
    shown = list(days_in(page_of(cast.clients["rui"], f"{CALENDAR}?day=2028-02-29")))
    assert len(shown) == 35
    assert date(2028, 2, 29) in shown


def drag(page: Page, what: str, to: str) -> None:
    """As a hand does it, with pictures that are there."""
    page.locator(what).wait_for()
    page.wait_for_load_state("networkidle")
    page.locator(what).hover()
    page.mouse.down()
    box = page.locator(to).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=8)
    page.mouse.up()


@pytest.mark.django_db(transaction=True)
def test_in_a_browser_posts_are_dragged_and_counted_live(inside: Page, cast: Cast, rhythm: Rhythm) -> None:
    site = inside.url.split("/s/")[0].rstrip("/")
    kept, now = keep(cast), timezone.now().astimezone(ROME)
    inside.set_viewport_size({"width": 1100, "height": 1000})
    # A week that lies wholly ahead.
    monday = now.date() + timedelta(days=14 - now.weekday())
    inside.goto(f"{site}{CALENDAR}?view=week&day={monday}")
    drag(inside, f"[data-kept='{kept.pk}']", f"[data-day='{monday}']")
    inside.locator(f"[data-day='{monday}'] [data-post]").wait_for()
    post = Post.objects.get()
    at = when(post)[-5:]
    later = monday + timedelta(days=2)
    drag(inside, f"[data-post='{post.pk}']", f"[data-day='{later}']")
    tile = inside.locator(f"[data-day='{later}'] [data-post='{post.pk}'] a").first
    tile.wait_for()
    assert when(post) == f"{later} {at}"
    tile.focus()
    inside.keyboard.press("Alt+ArrowRight")
    inside.locator(f"[data-day='{later + timedelta(days=1)}'] [data-post='{post.pk}']").wait_for()
    inside.get_by_role("button", name="Undo").click()
    tile.wait_for()
    assert when(post) == f"{later} {at}"
    odd = "Hi @ada, a@b.c &#35 #ä_1 #日本 x#no \N{WAVING HAND SIGN} ##y #_ @@b"
    for caption, tags in ((odd, "sea, Sea #日本"), (" two\n\nlines ", "")):
        inside.goto(f"{site}/s/studio/posts/{post.pk}/")
        inside.fill("#id_caption", caption)
        inside.fill("#id_hashtags", tags)
        live = [int(each) for each in inside.locator("[data-counter] b").all_inner_texts()]
        inside.get_by_role("button", name="Save").click()
        inside.get_by_text("Saved.").wait_for()
        post.refresh_from_db()
        assert live == [len(post.text), *checks.counts(post)]
