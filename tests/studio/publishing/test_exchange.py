"""Posts leave as a table and as a calendar, and come in again: nothing is lost, and nothing bad comes in."""

import csv
import io
import json
import logging
import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from tests.studio.conftest import Cast
from tests.studio.publishing.test_outbox import keep
from zoetrope.errors import UserError
from zoetrope.studio.logs import Discreet
from zoetrope.studio.personas.workspaces import begin, told_persona
from zoetrope.studio.planning.models import Pillar, Rhythm, Use
from zoetrope.studio.planning.slots import Slot
from zoetrope.studio.publishing import desk, feed, slotting, tabling
from zoetrope.studio.publishing.exchange import COLUMNS, MOST_LINES, Taken, harmless, plain, table, take_in, whole
from zoetrope.studio.publishing.models import Channel, Feed, Post, TakenTable

ROME = ZoneInfo("Europe/Rome")
TABLE = "/s/studio/p/ada/calendar/table/"
Rows = list[dict[str, str]]


def out(cast: Cast) -> Rows:
    """The table's lines, read as any program reads CSV."""
    return list(csv.DictReader(io.StringIO(table(whole(cast.ada), ROME), newline="")))


def csv_of(*rows: dict[str, str]) -> bytes:
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def come_in(cast: Cast, *rows: dict[str, str]) -> tuple[int, int]:
    return counted(take_in(cast.ada, csv_of(*rows), cast.user("rui"), "Europe/Rome"))


def counted(taken: Taken) -> tuple[int, int]:
    return len(taken.added), len(taken.changed)


def seen(post: Post) -> dict[str, object]:
    """Everything that a table tells of a post."""
    names = ("caption", "hashtags", "comment", "kind", "labelled", "due", "channel", "pillar", "state")
    shown = [(each.made.sha256, each.alt, each.crop) for each in post.pictures.select_related("made")]
    return {name: getattr(post, name) for name in names} | {"shown": shown}


@pytest.fixture
def rich(cast: Cast) -> Post:
    """A carousel that says everything that can be said."""
    pillar = Pillar.objects.create(space=cast.space, persona=cast.ada, name="=Sea, and more")
    channel = Channel.objects.create(space=cast.space, persona=cast.ada, name="Second", kind=Channel.Kind.INSTAGRAM)
    due = datetime(2030, 10, 27, 1, 30, 7, tzinfo=UTC)
    caption = '=1+1, "quoted"; two\nlines\n\n@ada ä日 \N{WAVING HAND SIGN}'
    pictures = [keep(cast), keep(cast, "red")]
    post = desk.draft(cast.ada, pictures, None, due=due, pillar=pillar, channel=channel, caption=caption)
    first, second = post.pictures.all()
    crop = {"left": 0.1, "top": 0.0, "width": 0.8, "height": 1 / 1.3}
    desk.arrange(post, [desk.Shown(second.pk, "-red", None), desk.Shown(first.pk, "teal", crop)])
    desk.change(post, comment="+more", hashtags=["sea", "日本"], labelled=False)
    return Post.objects.get(pk=post.pk)


def test_a_table_taken_in_as_it_came_changes_nothing(cast: Cast, rich: Post) -> None:
    published = desk.draft(cast.ada, [keep(cast, "blue")], None, due=timezone.now(), caption="'=")
    Post.objects.filter(pk=published.pk).update(state="published")
    desk.draft(cast.ada, [], None)
    Pillar.objects.update(retired=timezone.now())
    before = list(Post.objects.values())
    for data in (table(whole(cast.ada), ROME), table(whole(cast.ada), ZoneInfo("Australia/Lord_Howe"))):
        assert counted(take_in(cast.ada, data.encode("utf-8-sig"), None, "UTC")) == (0, 0)
    assert list(Post.objects.values()) == before


def test_a_table_makes_the_same_posts_elsewhere(cast: Cast, rich: Post) -> None:
    rows = out(cast)
    before = seen(rich)
    desk.drop(rich)
    assert come_in(cast, *({**row, "id": ""} for row in rows)) == (1, 0)
    # The hour that comes twice in that night was told as the first of the two.
    after = seen(Post.objects.get())
    assert (before.pop("due"), after.pop("due")) == (
        datetime(2030, 10, 27, 1, 30, 7, tzinfo=UTC),
        datetime(2030, 10, 27, 0, 30, 7, tzinfo=UTC),
    )
    assert after == before
    assert Use.objects.count() == 2


def test_a_line_changes_what_it_says_and_nothing_else(cast: Cast, rich: Post) -> None:
    before = seen(rich)
    assert come_in(cast, {"id": str(rich.pk), "caption": "New.", "day": "2031-05-06", "time": "18:30"}) == (0, 1)
    rich.refresh_from_db()
    due = datetime(2031, 5, 6, 16, 30, tzinfo=UTC)
    assert seen(rich) == before | {"caption": "New.", "due": due}
    assert {use.at for use in Use.objects.all()} == {due}
    come_in(cast, {"id": str(rich.pk), "day": "2031-05-07", "pictures": "", "pillar": "", "channel": ""})
    rich.refresh_from_db()
    assert (rich.due, rich.pictures.count(), rich.pillar) == (due + timedelta(days=1), 0, None)
    assert str(rich.channel) == "Outbox"
    assert not Use.objects.exists()


def test_a_new_line_needs_no_more_than_a_caption(cast: Cast) -> None:
    assert come_in(cast, {"caption": "'=1"}, {"caption": "Two"}) == (2, 0)
    post = Post.objects.earliest("pk")
    assert (post.caption, post.state, post.kind, post.labelled) == ("=1", "draft", "image", True)
    assert (post.due, str(post.channel), post.by) == (None, "Outbox", cast.user("rui"))


def test_days_without_a_time_get_their_slots(cast: Cast) -> None:
    Rhythm.objects.update_or_create(persona=cast.ada, defaults={"zone": ROME.key})
    slotting.put(cast.ada, (Slot(1, time(9)), Slot(1, time(18))))
    tuesday = {"day": "2030-01-01"}
    come_in(cast, tuesday, {**tuesday, "time": "09:10"}, tuesday, {"caption": "No day."})
    clocks = [row["time"] for row in out(cast)]
    # 9:00 is too near to what has a time, the first has 18:00, and then noon is a free hour.
    assert sorted(clocks) == ["", "09:10", "12:00", "18:00"]
    # A draft that is moved to another day keeps its time of day.
    first = Post.objects.earliest("pk")
    come_in(cast, {"id": str(first.pk), "day": "2030-01-02"})
    assert {row["id"]: (row["day"], row["time"]) for row in out(cast)}[str(first.pk)] == ("2030-01-02", "18:00")


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"id": "99"}, "no post '99'"),
        ({"id": "one"}, "no post 'one'"),
        ({"time": "12:00"}, "without a day"),
        ({"day": "2020-01-01"}, "has passed"),
        ({"day": "01.02.2030", "time": "12:00"}, "is no day"),
        ({"day": "2030-01-01", "time": "noon"}, "is no time"),
        ({"day": "9030-01-01", "time": "12:00"}, "reaches from"),
        ({"zone": "Mars/Base"}, "no time zone"),
        ({"kind": "film"}, "no kind of post"),
        ({"pillar": "Nothing"}, "no pillar called"),
        ({"channel": "Nobody"}, "no channel called"),
        ({"hashtags": "a b-c"}, "#b-c is no hashtag"),
        ({"ai_label": "maybe"}, "is yes or no"),
        ({"pictures": "0" * 64}, "not in the library"),
        ({"caption": "x" * 5001}, "at most 5,000"),
        ({"alt_texts": "[1]"}, "one entry for each of 0"),
        ({"crops": "[" * 5000}, "one entry for each of 0"),
    ],
)
def test_a_bad_line_is_told_by_its_number_and_nothing_comes_in(cast: Cast, row: dict[str, str], sentence: str) -> None:
    good = dict.fromkeys(row, "") | {"caption": "two\nlines"}
    with pytest.raises(UserError) as told:
        come_in(cast, good, {"caption": ""} | row)
    assert re.search(r"Nothing was taken in\. Line 4: ", str(told.value)), str(told.value)
    assert sentence in str(told.value)
    assert not Post.objects.exists()


def test_every_bad_line_is_told(cast: Cast) -> None:
    with pytest.raises(UserError) as told:
        come_in(cast, *({"kind": "film"} for _ in range(23)))
    assert "Line 2:" in str(told.value)
    assert "Line 21:" in str(told.value)
    assert "3 more lines are bad" in str(told.value)


@pytest.mark.parametrize(
    "crops", ['[{"left": 0}]', "[[0, 0, 1]]", '[["a", 0, 1, 1]]', "[[0, 0, NaN, 1]]", "[[0.5, 0, 1, 1]]"]
)
def test_a_crop_that_is_none_is_told(cast: Cast, crops: str) -> None:
    sha256 = keep(cast).made.sha256
    with pytest.raises(UserError, match=r"Line 2: .*[Cc]rop"):
        come_in(cast, {"pictures": sha256, "crops": crops})
    with pytest.raises(UserError, match=r"4:5 to 1\.91:1"):
        come_in(cast, {"pictures": sha256, "crops": "[[0, 0, 0.2, 1]]"})
    assert not Post.objects.exists()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"caption,colour\nx,red\n", "'colour' is no column"),
        (b"caption,caption\nx,y\n", "there twice"),
        (b"caption,day\nx\n", "Line 2 has more or fewer cells"),
        (b"caption\nx,y\n", "Line 2 has more or fewer cells"),
        ("caption\nä\n".encode("latin-1"), "not in UTF-8"),
        (b"caption\nx\x00\n", "cannot be kept"),
        (b"caption\n" + b"x\n" * (MOST_LINES + 1), "at most 500 lines"),
        (b"caption\n" + b"x" * 200_000, "torn at line"),
        (b"caption\n" + b"x" * 2_000_001, "at most 2 MB"),
    ],
)
def test_a_file_that_is_no_table_is_told(cast: Cast, data: bytes, sentence: str) -> None:
    with pytest.raises(UserError) as told:
        take_in(cast.ada, data, None, "UTC")
    assert sentence in str(told.value)
    assert not Post.objects.exists()


def test_semicolons_and_spaces_of_spreadsheets_are_understood(cast: Cast) -> None:
    data = '\ufeffcaption; day ;time\r\n"Hi; you";2030-01-01;12:00\r\n'.encode()
    assert counted(take_in(cast.ada, data, None, "Europe/Rome")) == (1, 0)
    post = Post.objects.get()
    assert (post.caption, post.due) == ("Hi; you", datetime(2030, 1, 1, 11, tzinfo=UTC))


def test_a_table_is_taken_out_again_but_for_what_somebody_went_on_with(cast: Cast, rich: Post) -> None:
    before, own = seen(rich), desk.draft(cast.ada, [], None, caption="Own.")
    first = rich.pictures.all()[0].made.sha256
    red = {"id": str(rich.pk), "pictures": first, "caption": "Over it.", "pillar": ""}
    red |= {"day": "2031-01-01", "time": "09:00"}
    rows = ({"id": str(own.pk), "caption": "Changed."}, {"caption": "One"}, {"caption": "Two"})
    names = dict.fromkeys(red, "")
    data = csv_of(red, *({**names, **row, "day": "", "time": ""} for row in rows))
    table = tabling.take_in(cast.ada, data, None)
    assert tabling.counted(table) == (2, 2)
    assert (rich.pictures.count(), Post.objects.get(pk=rich.pk).caption) == (1, "Over it.")
    desk.change(Post.objects.get(caption="Two"), caption="Two, mended.")
    assert "but for 1 that somebody" in tabling.take_out(cast.ada, table.pk)
    assert seen(Post.objects.get(pk=rich.pk)) == before
    assert set(Post.objects.values_list("caption", flat=True)) == {before["caption"], "Own.", "Two, mended."}
    assert Use.objects.count() == 2
    with pytest.raises(UserError, match="too long ago"):
        tabling.take_out(cast.ada, table.pk)


def test_a_table_is_not_taken_out_for_ever_nor_by_another_persona(cast: Cast, rich: Post) -> None:
    mia = begin(cast.space, told_persona("mia", "drawn", "", "nano-flux", "fictional"), "Mia")
    table = tabling.take_in(cast.ada, csv_of({"caption": "One"}), None)
    with pytest.raises(UserError, match="too long ago"):
        tabling.take_out(mia, table.pk)
    desk.change(Post.objects.get(caption="One"), caption="Mine.")
    with pytest.raises(UserError, match="gone on with it"):
        tabling.take_out(cast.ada, table.pk)
    TakenTable.objects.update(at=timezone.now() - timedelta(hours=2))
    with pytest.raises(UserError, match="too long ago"):
        tabling.take_out(cast.ada, table.pk)
    tabling.take_in(cast.ada, csv_of({"caption": "Three"}), None)
    assert TakenTable.objects.count() == 1, "what is too old is forgotten"


def test_what_is_approved_is_not_changed_by_a_table(cast: Cast, rich: Post) -> None:
    Post.objects.filter(pk=rich.pk).update(state="scheduled")
    with pytest.raises(UserError, match="is scheduled: take it back"):
        come_in(cast, {"id": str(rich.pk), "caption": "New."})
    Post.objects.filter(pk=rich.pk).update(state="draft")
    come_in(cast, {"id": str(rich.pk), "state": "published"})
    rich.refresh_from_db()
    assert rich.state == "draft", "a table approves nothing"


def test_another_personas_posts_are_not_there(cast: Cast, rich: Post) -> None:
    mia = begin(cast.space, told_persona("mia", "drawn", "", "nano-flux", "fictional"), "Mia")
    with pytest.raises(UserError, match="Mia has no post"):
        take_in(mia, csv_of({"id": str(rich.pk), "caption": "Taken."}), None, "UTC")


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40))
def test_no_text_is_a_formula_and_every_text_comes_back(text: str) -> None:
    told = harmless(text)
    assert not told.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    assert plain(told) == text


@pytest.mark.parametrize("text", ["=1", "'=1", "''=1", "'hello", "-", "@ada", "\t=1", ""])
def test_marks_are_taken_off_as_they_were_put_on(text: str) -> None:
    assert plain(harmless(text)) == text
    assert harmless("'hello") == "'hello"


def test_the_page_tells_of_every_column_and_takes_tables(cast: Cast, rich: Post) -> None:
    page = cast.clients["vic"].get(TABLE).content.decode()
    assert all(f"<code>{name}</code>" in page for name in COLUMNS)
    assert 'type="file"' not in page, "viewers look"
    answer = cast.clients["vic"].get(
        "/s/studio/p/ada/calendar/posts.csv", {"since": "2030-10-27", "until": "2030-10-27"}
    )
    assert answer.content.startswith(b"\xef\xbb\xbfid,day,")
    assert answer.content.count(rich.pictures.all()[0].made.sha256.encode()) == 1
    for since, until, there in (("2030-10-28", "", False), ("", "2030-10-26", False), ("2030-10-27", "", True)):
        asked = {"since": since, "until": until}
        data = cast.clients["vic"].get("/s/studio/p/ada/calendar/posts.csv", asked).content
        assert (b"quoted" in data) == there, asked

    def send(who: str, data: bytes) -> tuple[int, str]:
        fields = {"file": SimpleUploadedFile("posts.csv", data), "back": TABLE}
        sent = cast.clients[who].post(TABLE, fields, follow=True)
        return sent.status_code, sent.content.decode()

    assert send("vic", csv_of({"caption": "New."}))[0] == 403
    status, page = send("rui", csv_of({"kind": "film"}))
    assert (status, "Line 2: " in page) == (422, True)
    page = send("rui", csv_of({"caption": "New."}))[1]
    assert "1 new, 0 changed" in page
    fields = dict(re.findall(r'name="(back|ticket)" value="([^"]*)"', page))
    answer = cast.clients["rui"].post("/s/studio/p/ada/calendar/undo/", fields, follow=True)
    assert "The table is out again" in answer.content.decode()
    assert answer.redirect_chain[-1][0] == TABLE
    assert not Post.objects.filter(caption="New.").exists()


# A strict reader of RFC 5545, as the text says it: nothing is forgiven.
_LINE = re.compile(rb"[^\r\n]*\r\n")
_NAME = re.compile(r"([A-Z0-9-]+)((?:;[A-Z0-9-]+=[^;:,\"]+)*):(.*)", re.DOTALL)
_MOMENT = re.compile(r"\d{8}T\d{6}Z")
Property = tuple[str, str, str]


def unfolded(data: bytes) -> list[Property]:
    lines: list[bytes] = []
    assert b"".join(_LINE.findall(data)) == data, "every line ends with CR LF"
    for line in _LINE.findall(data):
        assert len(line) - 2 <= 75, "a line has at most 75 bytes"
        line.decode()
        if line[:1] in (b" ", b"\t"):
            lines[-1] += line[1:-2]
        else:
            assert line != b"\r\n", "no line is empty"
            lines.append(line[:-2])
    found = []
    for line in lines:
        match = _NAME.fullmatch(line.decode())
        assert match is not None, line
        assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", match[3])
        found.append((match[1], match[2], match[3]))
    return found


def text_of(value: str) -> str:
    """A TEXT value: what must be escaped is, and nothing else."""
    assert re.fullmatch(r"(?:\\[\\;,nN]|[^\\;,])*", value), value
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)


def events_of(data: bytes) -> list[dict[str, str]]:
    properties = unfolded(data)
    assert properties[0] == ("BEGIN", "", "VCALENDAR")
    assert properties[-1] == ("END", "", "VCALENDAR")
    head = [name for name, *_ in properties]
    assert (head.count("VERSION"), head.count("PRODID")) == (1, 1)
    events: list[dict[str, str]] = []
    inside = False
    for name, _, value in properties[1:-1]:
        if name in ("BEGIN", "END"):
            assert (value, inside) == ("VEVENT", name == "END")
            inside = name == "BEGIN"
            events += [{}] if inside else []
        elif inside:
            assert name not in events[-1], f"{name} comes once"
            events[-1][name] = value
    assert not inside
    for event in events:
        assert {"UID", "DTSTAMP", "DTSTART"} <= event.keys()
        assert not {"DTEND", "DURATION"} <= event.keys()
        assert all(_MOMENT.fullmatch(event[name]) for name in ("DTSTAMP", "DTSTART"))
        assert event["STATUS"] in ("TENTATIVE", "CONFIRMED", "CANCELLED")
    assert len({event["UID"] for event in events}) == len(events)
    return events


def test_the_feed_is_a_calendar_that_a_strict_reader_takes(cast: Cast) -> None:
    Rhythm.objects.create(persona=cast.ada, zone="Europe/Rome")
    at = timezone.now().replace(microsecond=0) + timedelta(days=3)
    caption = "Sea, sun; and \\ more\nä日" + "\N{WAVING HAND SIGN}" * 60 + "\x0bend\r\nBEGIN:VALARM"
    pillar = Pillar.objects.create(space=cast.space, persona=cast.ada, name="A;B")
    first = desk.draft(cast.ada, [], None, due=at, caption=caption, hashtags=["sea"], pillar=pillar)
    second = desk.draft(cast.ada, [keep(cast)], None, due=at + timedelta(hours=1))
    Post.objects.filter(pk=second.pk).update(state="published", link="https://instagram.com/p/1")
    desk.draft(cast.ada, [], None)
    desk.draft(cast.ada, [], None, due=at - timedelta(days=100))
    feed.renew(cast.ada)
    answer = cast.clients["nobody"].get(feed.path_of(cast.ada))
    assert answer.headers["Content-Type"].startswith("text/calendar")
    one, two = events_of(answer.content)
    assert one["DTSTART"] == f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    plain_caption = caption.replace("\x0b", "").replace("\r\n", "\n")
    assert text_of(one["DESCRIPTION"]) == f"{plain_caption}\n\n#sea"
    assert text_of(one["SUMMARY"]) == "Sea, sun; and \\ more (draft)"
    assert (text_of(one["CATEGORIES"]), one["STATUS"], two["STATUS"]) == ("A;B", "TENTATIVE", "CONFIRMED")
    assert two["URL"] == "https://instagram.com/p/1"
    again = events_of(cast.clients["nobody"].get(feed.path_of(cast.ada)).content)
    assert [each["UID"] for each in again] == [one["UID"], two["UID"]]
    assert first.pk != second.pk


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_text_is_folded_and_escaped_so_that_it_comes_back(text: str) -> None:
    line = feed.folded(f"SUMMARY:{feed.escaped(text)}") + "\r\n"
    ((name, _, value),) = unfolded(line.encode())
    wanted = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", text.replace("\r\n", "\n").replace("\r", "\n"))
    assert (name, text_of(value)) == ("SUMMARY", wanted)


def test_the_feeds_address_is_secret_and_can_be_renewed(cast: Cast) -> None:

    def table_page(who: str) -> str:
        return cast.clients[who].get(TABLE).content.decode()

    assert feed.path_of(cast.ada) == "", "nobody asked for one"
    assert "Make an address" in table_page("olga")
    renew = "/s/studio/p/ada/calendar/renew/"
    assert [cast.clients[who].post(renew).status_code for who in ("rui", "vic", "sam", "olga")] == [403, 403, 404, 302]
    old = feed.path_of(cast.ada)
    assert old in table_page("olga")
    assert all(old not in table_page(who) for who in ("rui", "vic"))
    assert cast.clients["nobody"].get(old).status_code == 200
    for wrong in (f"{old[:-5]}x.ics", old.replace("link/", "link/9"), "/calendar/link/1-.ics"):
        assert cast.clients["nobody"].get(wrong).status_code == 404, wrong
    cast.clients["olga"].post(renew)
    assert cast.clients["nobody"].get(old).status_code == 404
    assert cast.clients["nobody"].get(feed.path_of(cast.ada)).status_code == 200


def test_the_log_does_not_tell_the_feeds_address(cast: Cast) -> None:
    feed.renew(cast.ada)
    path = feed.path_of(cast.ada)
    record = logging.LogRecord("django.request", logging.WARNING, "", 0, "Not Found: %s", (path,), None)
    told = Discreet("%(message)s").format(record)
    token = path.rpartition("/")[2].removesuffix(".ics")
    assert not any(part in told for part in (token, *token.split(".")) if len(part) > 4)
    secret = Feed.objects.get(persona=cast.ada).token
    assert secret.tell() not in json.dumps(str(Feed.objects.values("token").get()))
