"""A persona's posts as its calendar shows them: those of the shown days, and drafts that have no time yet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from zoetrope.studio.personas.models import Persona
from zoetrope.studio.publishing.calendar import Span, bounds, by_day, wall
from zoetrope.studio.publishing.checks import crowded
from zoetrope.studio.publishing.models import Post, PostPicture

MOST, A_DAY, A_TRAY = 400, 4, 24
"""So many posts are shown at once, of a day in a month, and of those without a time."""
WORDS = {
    Post.State.DRAFT: "draft",
    Post.State.SCHEDULED: "approved",
    Post.State.CLAIMED: "going out",
    Post.State.CONTAINERS: "going out",
    Post.State.READY: "going out",
    Post.State.PUBLISHING: "going out",
    Post.State.UNCONFIRMED: "unconfirmed",
    Post.State.PUBLISHED: "published",
    Post.State.FAILED: "failed",
}
"""Each state in a word."""
_COLOURS = {"draft": "draft", "approved": "ready", "going out": "going", "published": "out"}
_MOVABLE = (Post.State.DRAFT, Post.State.SCHEDULED, Post.State.FAILED)
_TO_COME = (Post.State.DRAFT, *Post.WAITING)
_SIDE = 160
_READ = ("pk", "caption", "state", "asks", "due", "channel", "pillar__name")


@dataclass(frozen=True)
class Tile:
    """A post as a small picture. A month has hundreds: rows are not made for them, nor parts of templates."""

    key: int
    title: str
    state: str
    asks: bool
    due: datetime | None
    channel: int | None
    pillar: str | None
    when: datetime | None = None
    picture: str = ""
    near: bool = False
    # Where its page is, and where a form moves it; empty where the visitor may not.
    page: str = ""
    mover: str = ""

    @property
    def word(self) -> str:
        return WORDS[Post.State(self.state)]

    @property
    def colour(self) -> str:
        return "asks" if self.asks else _COLOURS.get(self.word, "asks")

    @property
    def movable(self) -> bool:
        """Whether its time can be changed."""
        return self.state in _MOVABLE

    def __str__(self) -> SafeString:
        """As a page holds it."""
        moves = self.movable and self.mover
        return format_html(
            '<li class="tile is-{}"{}><a href="{}"{}>{}<span class="of">{}<span class="word">{}</span>{}{}'
            '<span class="title">{}</span></span></a>{}</li>',
            self.colour,
            format_html(' draggable="true" data-post="{}"', self.key) if moves else "",
            self.page,
            _KEYS if moves else "",
            format_html(_PICTURE, self.picture) if self.picture else _NO_PICTURE,
            format_html(_TIME, self.due.isoformat(), f"{self.when:%H:%M}") if self.due and self.when else "",
            self.word,
            _CROWD if self.near else "",
            format_html('<span class="pillar">{}</span>', self.pillar) if self.pillar else "",
            self.title,
            format_html('<a class="elsewhere" href="{}">Move</a>', self.mover) if moves else "",
        )


_KEYS = SafeString(' aria-keyshortcuts="Alt+ArrowLeft Alt+ArrowRight Alt+ArrowUp Alt+ArrowDown"')
_PICTURE = f'<img loading="lazy" width="{_SIDE}" height="{_SIDE}" alt="" src="{{}}">'
_NO_PICTURE = SafeString('<span class="bare" aria-hidden="true">?</span>')
_TIME = '<time datetime="{}">{}</time> '
_CROWD = SafeString('<span class="word crowd">close to another</span>')


@dataclass(frozen=True)
class Cell:
    """A day with its posts; `more` are not shown."""

    day: date
    inside: bool
    today: bool
    tiles: tuple[Tile, ...] = ()
    more: int = 0

    @property
    def name(self) -> str:
        """As people say it."""
        return f"{self.day:%A} {self.day.day} {self.day:%B}"


@dataclass(frozen=True)
class Agenda:
    """What a calendar shows: its days, week by week, and the drafts without a time. `cut` is whether more are there."""

    weeks: tuple[tuple[Cell, ...], ...]
    tray: tuple[Tile, ...]
    tray_more: bool
    cut: bool

    @property
    def days(self) -> list[Cell]:
        """Those with posts."""
        return [cell for week in self.weeks for cell in week if cell.tiles]


def agenda(persona: Persona, span: Span, zone: ZoneInfo, today: date, mover: str = "", most: int = MOST) -> Agenda:
    """What lies on the days of a span, at most so many posts a day; `mover` is where a form moves a post."""
    opens, closes = bounds(span.days[0], date.fromordinal(span.days[-1].toordinal() + 1), zone)
    there = _tiles(_rows(persona).filter(due__gte=opens, due__lt=closes).order_by("due", "pk")[: MOST + 1])
    tray = _tiles(_rows(persona).filter(due=None, state=Post.State.DRAFT).order_by("-pk")[: A_TRAY + 1])
    near = crowded((each.key, each.channel, each.due) for each in there if each.due and each.state in _TO_COME)
    days = by_day(((each.due, each) for each in there[:MOST] if each.due), zone)
    kept = {day: [each for _, each in tiles[: most if len(tiles) <= most else most - 1]] for day, tiles in days.items()}
    finish = _Finish(persona, zone, near, mover, [*(each for tiles in kept.values() for each in tiles), *tray])
    weeks = tuple(
        tuple(
            Cell(
                day,
                span.inside(day),
                day == today,
                tuple(map(finish, kept.get(day, ()))),
                len(days.get(day, ())) - len(kept.get(day, ())),
            )
            for day in week
        )
        for week in span.weeks
    )
    return Agenda(weeks, tuple(map(finish, tray[:A_TRAY])), len(tray) > A_TRAY, len(there) > MOST)


def first_pictures(posts: Iterable[int]) -> dict[int, str]:
    """The first picture of each post, by its hash."""
    rows = PostPicture.objects.filter(post__in=list(posts)).order_by("-place", "-pk")
    return dict(rows.values_list("post", "made__sha256"))


class _Finish:
    """Gives a tile what its neighbours and the page say of it; addresses are found once."""

    def __init__(self, persona: Persona, zone: ZoneInfo, near: set[int], mover: str, tiles: Sequence[Tile]) -> None:
        self._zone, self._near, self._mover = zone, near, mover
        self._pictures = first_pictures(each.key for each in tiles)
        space = persona.space.slug
        self._picture = reverse("made-picture", args=[space, "SHA", _SIDE])
        self._page = reverse("post", args=[space, 0]).removesuffix("0/")

    def __call__(self, tile: Tile) -> Tile:
        sha256 = self._pictures.get(tile.key, "")
        return replace(
            tile,
            when=wall(tile.due, self._zone),
            picture=self._picture.replace("SHA", sha256) if sha256 else "",
            near=tile.key in self._near,
            page=f"{self._page}{tile.key}/",
            mover=f"{self._mover}{tile.key}#move" if self._mover else "",
        )


def _rows(persona: Persona) -> "QuerySet[Post]":
    return Post.objects.filter(persona=persona)


def _tiles(rows: "QuerySet[Post]") -> list[Tile]:
    return [
        # Named as a post names itself.
        Tile(key, caption.partition("\n")[0][:60] or f"post {key}", *rest)
        for key, caption, *rest in rows.values_list(*_READ)
    ]
