"""What a channel can be asked for, and how it says no."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from pathlib import Path
from typing import Protocol


class Standing(StrEnum):
    """How a container stands."""

    IN_PROGRESS = "in progress"
    FINISHED = "finished"
    ERROR = "error"
    EXPIRED = "expired"
    PUBLISHED = "published"


class Do(Enum):
    """What is to be done about a refusal, as long as nothing was published."""

    AGAIN = "ask again"
    POLL = "keep polling"
    ANEW = "make a new container"
    WAIT = "leave the account alone for a while"
    LATER = "the day's posts are used up"
    STOP = "tell a person: nothing of this account goes out until then"
    MEND = "tell a person: this post cannot go out as it is"


class Lost(Exception):
    """No answer, or none that can be read: what was asked may have been done or not."""


class Refused(Exception):
    """The other end said no, in a sentence."""

    def __init__(
        self,
        sentence: str,
        do: Do,
        status: int | None = None,
        code: int | None = None,
        subcode: int | None = None,
        seconds: float | None = None,
    ) -> None:
        super().__init__(sentence)
        self.do, self.status, self.code, self.subcode, self.seconds = do, status, code, subcode, seconds


@dataclass(frozen=True)
class Shot:
    """A picture or clip as it goes out: where it lies, by what it is called, what blind people hear, how it looks.

    A clip looks like its first picture.
    """

    sha256: str
    alt: str
    look: bytes
    file: Path
    moves: bool = False


@dataclass(frozen=True)
class Parcel:
    """All of a post that a channel needs to know."""

    key: int
    kind: str
    text: str
    shots: tuple[Shot, ...]
    labelled: bool
    comment: str = ""

    @property
    def moves(self) -> bool:
        """Whether it is a clip, whose bytes the channel is handed."""
        return any(shot.moves for shot in self.shots)


@dataclass(frozen=True)
class Told:
    """How a container stands, and what is to be done where it went wrong."""

    standing: Standing
    do: Do | None = None
    sentence: str = ""


@dataclass(frozen=True)
class Seen:
    """A post that the account shows."""

    media: str
    text: str
    kind: str
    at: datetime
    address: str = ""


class Driver(Protocol):
    """One channel's account. Every call may raise `Lost` or `Refused`, and nothing else."""

    def parts(self, parcel: Parcel) -> int:
        """How many parts have containers of their own, before the whole."""

    def part(self, parcel: Parcel, number: int) -> str:
        """Make a part's container."""

    def whole(self, parcel: Parcel, parts: Sequence[str]) -> str:
        """Make the container that can be published."""

    def hand_over(self, parcel: Parcel, container: str, alive: Callable[[], None]) -> None:
        """Send a clip's bytes, from where an earlier try ended; `alive` is called again and again meanwhile."""

    def stands(self, container: str) -> Told:
        """How it is by now."""

    def publish(self, container: str) -> str:
        """Let it be seen; what the account calls the post from now on."""

    def recent(self, since: datetime) -> list[Seen]:
        """The account's posts from then on."""

    def look(self, seen: Seen) -> bytes:
        """What one of them looks like, as `Shot.look`; empty where that cannot be told."""

    def link(self, media: str) -> str:
        """Where people see it."""

    def commented(self, media: str, text: str) -> bool:
        """Whether the account said this under it already."""

    def comment(self, media: str, text: str) -> None:
        """Say something under it."""

    def room(self) -> int | None:
        """How many more posts the account takes within a day; None where that cannot be told."""
