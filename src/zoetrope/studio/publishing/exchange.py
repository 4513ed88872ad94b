"""Posts as a table: out of the studio and into it again, all lines or none."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Prefetch
from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.studio.library.models import Kept
from zoetrope.studio.making.models import Made
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.planning.models import Pillar
from zoetrope.studio.planning.rhythm import rhythm_of, zones
from zoetrope.studio.planning.slots import at_local, local
from zoetrope.studio.publishing import desk
from zoetrope.studio.publishing.calendar import FIRST, LAST, read_day, read_time
from zoetrope.studio.publishing.checks import MOST
from zoetrope.studio.publishing.desk import Shown
from zoetrope.studio.publishing.models import Channel, Post, PostPicture
from zoetrope.studio.publishing.slotting import slot_on
from zoetrope.studio.publishing.wording import SIDES, read_alt, read_crop, read_tags, read_text
from zoetrope.studio.spaces.models import User

COLUMNS = {
    "id": "The post's number; empty makes a new one.",
    "day": "Its day, as 2026-11-22; empty for a draft without a time.",
    "time": "Its time of day on the clocks of the zone, as 14:30; empty is the day's next slot.",
    "zone": "The time zone, as Europe/Rome; empty is the persona's own.",
    "state": "How far it is. Told, and not taken in: what comes in is a draft.",
    "kind": "image, carousel, reel or story; empty follows the pictures.",
    "pillar": "A pillar by its name, or nothing.",
    "channel": "A channel by its name; empty is the outbox.",
    "caption": "The caption without its hashtags.",
    "hashtags": "Hashtags with a space between them, with or without their sign.",
    "first_comment": "What is said under it at once.",
    "ai_label": "yes or no: whether it says that it was made with AI; empty is yes.",
    "pictures": "Pictures of the library by the hash of their bytes, with a space between them.",
    "alt_texts": 'What blind people hear, a text a picture, as ["one", "two"].',
    "crops": "What is shown of each picture, as [null, [0.1, 0, 0.8, 1]]: left, top, width and height as shares.",
}
"""What a table's columns hold, as the page tells it."""
LARGEST, MOST_LINES, _TOLD = 2 * 10**6, 500, 20
# What a spreadsheet would take for a formula, and what was marked already so that it takes it for none.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_MARK = "'"
_YES, _NO = "yes", "no"
_TOLD_ONLY = ("id", "zone", "state")
_OF_PICTURES = ("alt_texts", "crops")
_DIGITS = 18


@dataclass(frozen=True)
class Line:
    """A line that can be taken in: the post that it is about, none for a new one, and what it says of it."""

    post: Post | None
    said: dict[str, Any]
    due: tuple[datetime | None, ...]
    # On one of whose slots it goes out, where no time is said.
    day: date | None
    kept: tuple[Kept, ...] | None
    alts: list[str] | None
    crops: list[dict[str, float] | None] | None

    @property
    def says(self) -> bool:
        """Whether it says anything that is not so already."""
        told = (self.day, self.kept, self.alts, self.crops)
        return bool(self.said or self.due) or any(each is not None for each in told)


@dataclass(frozen=True)
class Taken:
    """What a table did: the posts that are new, those that were changed, and the lines of these as they were."""

    added: tuple[Post, ...]
    changed: tuple[Post, ...]
    before: list[dict[str, str]]


@dataclass(frozen=True)
class Known:
    """What lines may name, read once for all of them."""

    persona: Persona
    zone: str
    posts: dict[int, Post]
    pillars: dict[str, Pillar]
    channels: dict[str, Channel]
    kept: dict[str, Kept]


def table(posts: Iterable[Post], zone: ZoneInfo) -> str:
    """Posts as CSV, times on the clocks of a zone. Nothing in it is a formula to a spreadsheet."""
    out = io.StringIO()
    out.write(",".join(COLUMNS) + "\r\n")
    # Whole cells stay whole also where semicolons part them.
    writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    for post in posts:
        writer.writerow(harmless(text) for text in _cells(post, zone))
    return out.getvalue()


def harmless(text: str) -> str:
    """Marked where a spreadsheet would take it for a formula."""
    return _MARK + text if _FORMULA.match(text) else text


def plain(text: str) -> str:
    """The same without the mark."""
    return text.removeprefix(_MARK) if _FORMULA.match(text) else text


def whole(persona: Persona, **narrowed: Any) -> "list[Post]":
    """A persona's posts with all that a table tells of them."""
    pictures = Prefetch("pictures", PostPicture.objects.select_related("made").defer("made__recipe"))
    rows = Post.objects.filter(persona=persona, **narrowed).select_related("pillar", "channel")
    return list(rows.prefetch_related(pictures).order_by("due", "pk"))


def take_in(persona: Persona, data: bytes, by: User | None, zone: str) -> Taken:
    """Take a table in: nothing of it where any line is bad."""
    rows = _rows(data)
    known = _known(persona, rows, zone)
    lines, faults = [], []
    for number, row in rows:
        try:
            lines.append(_line(row, known))
        except UserError as error:
            faults.append(f"Line {number}: {error}")
    lines, late = _slotted(persona, [number for number, _ in rows], lines) if not faults else (lines, [])
    if faults := faults + late:
        more = f" {len(faults) - _TOLD} more lines are bad." if len(faults) > _TOLD else ""
        raise UserError(f"Nothing was taken in. {' '.join(faults[:_TOLD])}{more}")
    touched = {line.post.pk: line.post for line in lines if line.post and line.says}
    # Where no hour comes twice.
    before = [_row(post, ZoneInfo("UTC")) for post in touched.values()]
    with transaction.atomic():
        return Taken(_taken(persona, lines, by), tuple(touched.values()), before)


def _slotted(persona: Persona, numbers: Sequence[int], lines: Sequence[Line]) -> tuple[list[Line], list[str]]:
    """Days without a time get their next slots, which no post and no other line has; and what is wrong with some."""
    rhythm = rhythm_of(persona)
    given = [due for line in lines for due in line.due if due]
    found, faults = [], []
    for number, line in zip(numbers, lines, strict=True):
        if line.day is None:
            found.append(line)
            continue
        try:
            given.append(slot_on(persona, line.day, rhythm, given))
        except UserError as error:
            faults.append(f"Line {number}: {error}")
        else:
            found.append(replace(line, due=(given[-1],)))
    return found, faults


def restore(persona: Persona, rows: Sequence[dict[str, str]]) -> None:
    """Posts as they were before a table was taken in."""
    known = _known(persona, list(enumerate(rows)), "UTC")
    with transaction.atomic():
        _taken(persona, [_line(row, known, dressed=True) for row in rows], None)


def _row(post: Post, zone: ZoneInfo) -> dict[str, str]:
    return dict(zip(COLUMNS, _cells(post, zone), strict=True))


def _cells(post: Post, zone: ZoneInfo) -> Iterator[str]:
    when = local(post.due, zone) if post.due else None
    pictures = list(post.pictures.all())
    yield str(post.pk)
    # With seconds only where there are any.
    yield f"{when:%Y-%m-%d}" if when else ""
    yield when.time().isoformat("minutes" if not when.second else "seconds") if when else ""
    yield zone.key
    yield post.state
    yield post.kind
    yield post.pillar.name if post.pillar else ""
    yield post.channel.name if post.channel else ""
    yield post.caption
    yield " ".join(post.hashtags)
    yield post.comment
    yield _YES if post.labelled else _NO
    yield " ".join(each.made.sha256 for each in pictures)
    yield json.dumps([each.alt for each in pictures], ensure_ascii=False) if any(each.alt for each in pictures) else ""
    yield json.dumps([_sides(each.crop) for each in pictures]) if any(each.crop for each in pictures) else ""


def _sides(crop: Mapping[str, float] | None) -> list[float] | None:
    return [crop[side] for side in SIDES] if crop else None


def _rows(data: bytes) -> list[tuple[int, dict[str, str]]]:
    """Each line with its number in the file, as whoever wrote it sees it."""
    if len(data) > LARGEST:
        raise UserError(f"A table has at most {LARGEST // 10**6} MB; nothing was taken in.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError("The table is not in UTF-8: save it so; nothing was taken in.") from None
    if "\x00" in text:
        raise UserError("The table holds a character that cannot be kept; nothing was taken in.")
    first = text.partition("\n")[0]
    # Spreadsheets of half of Europe write semicolons.
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in first and "," not in first else ",")
    try:
        names = [name.strip() for name in reader.fieldnames or []]
        _check_names(names)
        reader.fieldnames = names
        # One more than is taken, and of a million no others.
        rows = [(reader.line_num, row) for row in islice(reader, MOST_LINES + 1)]
    except csv.Error as error:
        raise UserError(f"The table is torn at line {reader.line_num}: {error}; nothing was taken in.") from error
    if len(rows) > MOST_LINES:
        raise UserError(f"A table has at most {MOST_LINES} lines: send it in parts; nothing was taken in.")
    if torn := next((number for number, row in rows if None in row or None in row.values()), None):
        raise UserError(f"Line {torn} has more or fewer cells than the first one; nothing was taken in.")
    return [(number, {name: plain(text).replace("\r\n", "\n") for name, text in row.items()}) for number, row in rows]


def _check_names(names: Sequence[str]) -> None:
    if not names:
        raise UserError("The table is empty; nothing was taken in.")
    if strange := sorted(set(names) - COLUMNS.keys()):
        raise UserError(f"{strange[0]!a:.40} is no column: there are {', '.join(COLUMNS)}; nothing was taken in.")
    if len(set(names)) < len(names):
        raise UserError("A column is there twice; nothing was taken in.")


def _known(persona: Persona, rows: Sequence[tuple[int, Mapping[str, str]]], zone: str) -> Known:
    keys = [int(row["id"]) for _, row in rows if _is_number(row.get("id", ""))]
    posts = {each.pk: each for each in whole(persona, pk__in=keys)}
    pillars = {each.name: each for each in persona.pillars.filter(retired=None)}
    channels = {each.name: each for each in persona.channels.filter(retired=None)}
    named = {sha256 for _, row in rows for sha256 in row.get("pictures", "").split()}
    found = Kept.objects.filter(space=persona.space_id, made__sha256__in=named).select_related("made")
    return Known(persona, zone, posts, pillars, channels, {each.made.sha256: each for each in found.order_by("-pk")})


def _line(row: Mapping[str, str], known: Known, *, dressed: bool = False) -> Line:
    """What a line says; cells that hold what is so already, whatever it is, say nothing, unless they dress pictures."""
    post, zone = _post(row.get("id", "").strip(), known), _zone(row.get("zone", "").strip(), known)
    own = _row(post, zone) if post else {}
    always = _OF_PICTURES if dressed else ()
    cells = {name: text for name, text in row.items() if name not in _TOLD_ONLY}
    said = {name: text for name, text in cells.items() if name in always or text != own.get(name, "")}
    if said and post and post.state != Post.State.DRAFT:
        raise UserError(f"post {post.pk} is {post.state}: take it back before it is changed here.")
    kept = tuple(_kept(said["pictures"], known)) if "pictures" in said else None
    shown = [each.made for each in (kept if kept is not None else post.pictures.all() if post else ())]
    count = len(shown)
    dated = bool({"day", "time"} & said.keys())
    day, clock = _when({**own, **row}, zone) if dated else (None, None)
    return Line(
        post=post,
        said=_said(said, known, shown),
        due=(at_local(day, clock, zone),) if day and clock else (None,) if dated and not day else (),
        day=day if clock is None else None,
        kept=kept,
        alts=_listed(said["alt_texts"], count, read_alt, "") if "alt_texts" in said else None,
        crops=_listed(said["crops"], count, _crop, None) if "crops" in said else None,
    )


def _post(text: str, known: Known) -> Post | None:
    if not text:
        return None
    if not _is_number(text) or int(text) not in known.posts:
        raise UserError(f"{known.persona} has no post {text!a:.20}; leave the id empty for a new one.")
    return known.posts[int(text)]


def _zone(name: str, known: Known) -> ZoneInfo:
    if name and name not in zones():
        raise UserError(f"{name!a:.40} is no time zone: name one as Europe/Rome.")
    return ZoneInfo(name or known.zone)


def _kept(text: str, known: Known) -> Iterator[Kept]:
    names = text.split()
    if len(set(names)) < len(names):
        raise UserError("a picture is named twice.")
    if len(names) > MOST:
        raise UserError(f"a post has at most {MOST} pictures.")
    for sha256 in names:
        if sha256 not in known.kept:
            raise UserError(f"the picture {sha256!a:.20} is not in the library.")
        yield known.kept[sha256]


def _when(row: Mapping[str, str], zone: ZoneInfo) -> tuple[date | None, time | None]:
    day, clock = row.get("day", "").strip(), row.get("time", "").strip()
    if not day:
        if clock:
            raise UserError("a time is of no use without a day.")
        return None, None
    wanted = read_day(day, local(timezone.now(), zone).date())
    if not FIRST <= wanted <= LAST:
        raise UserError(f"the calendar reaches from {FIRST} to {LAST}.")
    return wanted, read_time(clock) if clock else None


def _said(said: Mapping[str, str], known: Known, shown: Sequence[Made]) -> dict[str, Any]:
    """Its words and names, checked, as a post keeps them."""
    readers: dict[str, tuple[str, Callable[[str], Any]]] = {
        "caption": ("caption", lambda text: read_text(text, "A caption")),
        "hashtags": ("hashtags", read_tags),
        "first_comment": ("comment", lambda text: read_text(text, "A first comment")),
        "ai_label": ("labelled", _label),
        "pillar": ("pillar", lambda text: _named(text, known.pillars, "pillar")),
        "channel": ("channel", lambda text: _named(text, known.channels, "channel") or desk.outbox(known.persona)),
        "kind": ("kind", lambda text: _kind(text, shown)),
    }
    return {field: read(said[column]) for column, (field, read) in readers.items() if column in said}


def _taken(persona: Persona, lines: Sequence[Line], by: User | None) -> tuple[Post, ...]:
    """Do what they say; the posts that are new."""
    added = []
    for line in lines:
        post = line.post
        if post is None:
            post = desk.draft(persona, line.kept or (), by)
            added.append(post)
        elif line.kept is not None:
            desk.show(post, line.kept)
        _dressed(post, line)
        if line.said:
            desk.change(post, **line.said)
        for due in line.due:
            desk.move(post, due)
    return tuple(added)


def _dressed(post: Post, line: Line) -> None:
    """Its pictures with what the line says of each."""
    if line.alts is None and line.crops is None:
        return
    rows = list(PostPicture.objects.filter(post=post))
    alts = line.alts if line.alts is not None else [each.alt for each in rows]
    crops = line.crops if line.crops is not None else [each.crop for each in rows]
    desk.arrange(post, [Shown(each.pk, alt, crop) for each, alt, crop in zip(rows, alts, crops, strict=True)])


def _label(text: str) -> bool:
    said = text.strip().lower()
    if said not in ("", _YES, _NO):
        raise UserError(f"ai_label is {_YES} or {_NO}, not {text!a:.20}.")
    return said != _NO


def _kind(text: str, shown: Sequence[Made]) -> str:
    said = text.strip().lower()
    if not said:
        return desk.kind_of(shown)
    if said not in Post.Kind.values:
        raise UserError(f"{text!a:.20} is no kind of post: there are {', '.join(Post.Kind.values)}.")
    return said


def _named(text: str, there: Mapping[str, Any], what: str) -> Any:
    name = text.strip()
    if name and name not in there:
        raise UserError(f"there is no {what} called {name!a:.62}.")
    return there.get(name)


def _listed(text: str, count: int, read: Callable[[Any], Any], otherwise: Any) -> list[Any]:
    if not text.strip():
        return [otherwise] * count
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, list) or len(told) != count:
        raise UserError(f"{text!a:.30} is no list with one entry for each of {count} pictures.")
    return [read(each) for each in told]


def _crop(told: Any) -> dict[str, float] | None:
    if told is None:
        return None
    if not isinstance(told, list) or len(told) != len(SIDES):
        raise UserError("a crop is four numbers: left, top, width and height, as shares.")
    return read_crop(dict(zip(SIDES, told, strict=True)))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _DIGITS
