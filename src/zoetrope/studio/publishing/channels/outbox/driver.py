"""A post as a folder: pictures or a clip, its caption, and a sheet with the rest. It appears whole or not at all."""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path

from zoetrope.media.files import write_together
from zoetrope.studio.publishing.channels.seam import Lost, Parcel, Seen, Standing, Told

_STAGED = ".staged"
_SHEET = "post.json"


class Outbox:
    """One persona's folder of posts."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self._folder, self._now = folder, now

    def parts(self, parcel: Parcel) -> int:
        return 0

    def part(self, parcel: Parcel, number: int) -> str:
        raise NotImplementedError("a folder is made in one piece")

    def whole(self, parcel: Parcel, parts: Sequence[str]) -> str:
        name = self._name_of(parcel)
        staged = self._folder / _STAGED / name
        try:
            if self._final(name).exists():
                # It counts from now on: one of long ago would not be found again.
                os.utime(self._final(name))
                return name
            shutil.rmtree(staged, ignore_errors=True)
            files = {
                staged / f"{place}{shot.file.suffix}": shot.file.read_bytes()
                for place, shot in enumerate(parcel.shots, start=1)
            }
            files[staged / "caption.txt"] = f"{parcel.text}\n".encode()
            if parcel.comment:
                files[staged / "first-comment.txt"] = f"{parcel.comment}\n".encode()
            files[staged / _SHEET] = json.dumps(_sheet(parcel), indent=2, ensure_ascii=False).encode()
            write_together(files)
        except OSError as error:
            raise Lost(f"The outbox cannot be written: {error.strerror}.") from error
        return name

    def hand_over(self, parcel: Parcel, container: str, alive: Callable[[], None]) -> None:
        """The folder holds it from the beginning."""

    def stands(self, container: str) -> Told:
        if self._final(container).is_dir():
            return Told(Standing.PUBLISHED)
        return Told(Standing.FINISHED if (self._folder / _STAGED / container).is_dir() else Standing.EXPIRED)

    def publish(self, container: str) -> str:
        try:
            os.rename(self._folder / _STAGED / container, self._final(container))
        except OSError as error:
            if not self._final(container).is_dir():
                raise Lost(f"The outbox cannot be written: {error.strerror}.") from error
        return container

    def recent(self, since: datetime) -> list[Seen]:
        found = []
        for sheet in self._folder.glob(f"*/{_SHEET}"):
            try:
                told = json.loads(sheet.read_bytes())
            except (OSError, ValueError):
                continue
            if not isinstance(told, dict):
                continue
            at = datetime.fromtimestamp(sheet.parent.stat().st_ctime, UTC)
            found.append(Seen(sheet.parent.name, str(told.get("caption", "")), str(told.get("kind", "")), at))
        return found

    def look(self, seen: Seen) -> bytes:
        return b""

    def link(self, media: str) -> str:
        return media

    def commented(self, media: str, text: str) -> bool:
        # It lies in the folder beside the caption.
        return True

    def comment(self, media: str, text: str) -> None:
        raise NotImplementedError("the first comment lies in the folder already")

    def room(self) -> int | None:
        return None

    def _name_of(self, parcel: Parcel) -> str:
        """What lies there already, as after an older database came back, is this very post or another one."""
        name = f"{self._now():%Y-%m-%d}-post-{parcel.key}"
        for each in chain([name], (f"{name}-{number}" for number in count(2))):
            if not self._final(each).exists() or _holds(self._final(each), parcel):
                return each
        raise AssertionError("there are numbers enough")

    def _final(self, container: str) -> Path:
        return self._folder / container


def _holds(folder: Path, parcel: Parcel) -> bool:
    """Whether a folder is this post, to the last byte of what it shows."""
    try:
        files = [(folder / f"{place}{shot.file.suffix}", shot.file) for place, shot in enumerate(parcel.shots, start=1)]
        same = all(one.read_bytes() == other.read_bytes() for one, other in files)
        return same and bool(json.loads((folder / _SHEET).read_bytes()) == _sheet(parcel))
    except (OSError, ValueError):
        return False


def _sheet(parcel: Parcel) -> dict[str, object]:
    return {
        "schema_version": 1,
        "kind": parcel.kind,
        "caption": parcel.text,
        "first_comment": parcel.comment,
        "made_with_ai": parcel.labelled,
        "alt_texts": [shot.alt for shot in parcel.shots],
    }
