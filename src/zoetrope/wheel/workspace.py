"""A persona's workspace: one folder, one lock, one record."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from zoetrope.errors import UserError
from zoetrope.home import home
from zoetrope.media.errors import MediaError
from zoetrope.media.files import read_limited, write_atomic, write_text_atomic
from zoetrope.media.hashing import hash_bytes
from zoetrope.training.settings import TAKEN
from zoetrope.wheel import events as ev
from zoetrope.wheel.migrate import check_current, mark_new
from zoetrope.wheel.persona import Persona, make_persona, read_persona, write_persona
from zoetrope.wheel.state import Entry, State, Undoable, derive, last_undoable, state_of
from zoetrope.wheel.words import read_caption, write_caption

PERSONA = "persona.toml"
EVENTS = "events.jsonl"
_CONSENT_BYTES = 64 * 2**20
# Most writes take a blink: whoever comes second waits for it, and hears of it only when it takes longer.
_PATIENCE_SECONDS = 2.0


class Busy(UserError):
    """Somebody else is at work there."""


class Workspace:
    """Reads are free; every write goes through `record` or under `locked`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = ev.EventLog(folder / EVENTS)
        self._lock = FileLock(folder / ".lock")
        self._training = FileLock(folder / ".training.lock")

    @property
    def name(self) -> str:
        return self.persona.name

    @property
    def persona(self) -> Persona:
        return read_persona(self.folder / PERSONA)

    def state(self) -> State:
        return state_of(self.log)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other writer away; a second one waits a moment and is told then."""
        busy = f"Somebody else is at work on {self.folder.name}, on a page or by a command"
        with self._held(self._lock, busy, _PATIENCE_SECONDS):
            yield

    @contextmanager
    def training(self) -> Iterator[None]:
        """One training at a time; decisions may go on beside it."""
        with self._held(self._training, f"{self.name} is being trained already", 0):
            yield

    @contextmanager
    def _held(self, lock: FileLock, otherwise: str, seconds: float) -> Iterator[None]:
        try:
            lock.acquire(timeout=seconds)
        except Timeout as error:
            raise Busy(f"{otherwise}; wait for it, nothing was changed.") from error
        except OSError as error:
            said = f"The workspace {self.folder.name} cannot be written ({error.strerror}); nothing was changed."
            raise UserError(said) from error
        try:
            yield
        finally:
            lock.release()

    def record(self, events: Sequence[ev.Event]) -> list[ev.Event]:
        """Add events to the record, all or none; together they are one step of `undo`."""
        with self.locked():
            return self.log.append(events)

    def change(self, **values: object) -> list[ev.Event]:
        """Decide otherwise about the persona: an event for each field that is another now, and `persona.toml`."""
        with self.locked():
            before = self.persona
            after = make_persona(**(before.model_dump() | values))
            changed = [name for name in values if getattr(before, name) != getattr(after, name)]
            events = [ev.Changed(field=name, before=before.said(name), after=after.said(name)) for name in changed]
            file = self.folder / PERSONA
            with _as_before_if_it_fails([file]):
                write_persona(file, after)
                return self.log.append(events)

    def undo(self, batch: int | None = None, *, only_last: bool = False) -> list[Undoable]:
        """Take back what was recorded together last, or as `batch`; a second undo takes back the step before.

        `only_last` refuses where another step came after that one.
        """
        with self.locked():
            taken = self._step(batch)
            if only_last and self._step(None) != taken:
                raise UserError(
                    "Another step came after that one: nothing was taken back. Load the page again to see it."
                )
            # What was written into a caption's file since then would be lost with the file.
            self.take_in_edits()
            # The files first: where a crash comes between, they are right and are taken in as they are.
            files = self._files_without(taken)
            with _as_before_if_it_fails(files):
                for path, write in files.items():
                    write(path)
                self.log.append([ev.Undone(target=taken[0].batch)])
            return taken

    def _files_without(self, taken: Sequence[Undoable]) -> dict[Path, Callable[[Path], None]]:
        """How to write each file that says otherwise once a step is taken back."""
        left = derive([*self.log.read(), ev.Undone(target=taken[0].batch)]).pictures
        told = [left[event.sha256] for event in taken if isinstance(event, ev.Captioned) and event.sha256 in left]
        files: dict[Path, Callable[[Path], None]] = {
            self.caption_path(entry): partial(write_caption, text=entry.caption) for entry in told
        }
        if before := {event.field: event.before for event in taken if isinstance(event, ev.Changed)}:
            files[self.folder / PERSONA] = partial(write_persona, persona=self.persona.with_said(before))
        return files

    def _step(self, batch: int | None) -> list[Undoable]:
        """What can be taken back, or one sentence on why there is nothing."""
        every = self.log.read()
        if found := last_undoable(every, batch):
            return found
        if batch is None:
            raise UserError(f"There is nothing left to undo in {self.name}.")
        if any(isinstance(event, ev.Undone) and event.target == batch for event in every):
            raise UserError("That step was taken back already; nothing else was.")
        raise UserError(f"There is no step {batch} to take back in {self.name}; nothing was.")

    def path(self, entry: Entry) -> Path:
        return self.folder / entry.file

    def caption_path(self, entry: Entry) -> Path:
        return self.path(entry).with_suffix(".txt")

    def find(self, named: str) -> Entry:
        """A picture by the start of its hash, or by its file's name."""
        pictures = self.state().pictures.values()
        found = [e for e in pictures if Path(e.file).name == named or e.file == named]
        if not found and len(named) >= 4:
            found = [e for e in pictures if e.sha256.startswith(named)]
        if len(found) == 1:
            return found[0]
        fault = "no picture" if not found else f"{len(found)} pictures"
        raise UserError(f"{self.name} has {fault} called {named!r}; `zoetrope persona status {self.name}` lists them.")

    def caption(self, texts: dict[str, str], by: str) -> None:
        """Give pictures their words: an event each, and the .txt beside the picture."""
        with self.locked():
            known = self.state().pictures
            files = {self.caption_path(known[sha]): text for sha, text in texts.items() if sha in known}
            with _as_before_if_it_fails(files):
                for path, text in files.items():
                    write_caption(path, text)
                self.log.append([ev.Captioned(sha256=sha256, text=text, by=by) for sha256, text in texts.items()])

    def take_in_edits(self) -> list[str]:
        """A caption file that a person edited counts: it becomes an event. The pictures' hashes are given back."""
        with self.locked():
            changed = {}
            for entry in self.state().pictures.values():
                text = read_caption(self.caption_path(entry))
                if text is not None and text != entry.caption:
                    changed[entry.sha256] = text
            self.log.append([ev.Captioned(sha256=sha, text=text, by="hand") for sha, text in changed.items()])
            return list(changed)

    def store(self, data: bytes, recipe: str | None = None) -> tuple[str, str]:
        """Keep a made picture by the hash of its bytes; its hash and its file within the workspace."""
        sha256 = hash_bytes(data)
        relative = Path(ev.PICTURES) / sha256[:2] / f"{sha256}.png"
        path = self.folder / relative
        if not path.exists():
            write_atomic(path, data)
        if recipe is not None:
            write_text_atomic(path.with_suffix(".json"), recipe)
        return sha256, relative.as_posix()

    def write_captions(self) -> None:
        """Write the .txt of every picture that lacks one; call it with the lock held."""
        for entry in self.state().pictures.values():
            if entry.caption and not self.caption_path(entry).is_file():
                write_caption(self.caption_path(entry), entry.caption)


@contextmanager
def _as_before_if_it_fails(paths: Iterable[Path]) -> Iterator[None]:
    """Put files back as they were when a full disk or Ctrl-C ends what is done with them."""
    before = {path: _bytes(path) for path in paths}
    try:
        yield
    except BaseException:
        for path, data in before.items():
            if data is None and path.is_file():
                path.unlink()
            elif data is not None and data != _bytes(path):
                write_atomic(path, data)
        raise


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def round_folder(workspace: Workspace, number: int) -> Path:
    """What belongs to one turn of the wheel."""
    return workspace.folder / "rounds" / f"{number:03d}"


def personas_folder() -> Path:
    return home() / "personas"


def open_workspace(named: str) -> Workspace:
    """The workspace of a persona in the data folder, or at a path, if its files are in today's form."""
    workspace = find_workspace(named)
    check_current(workspace.folder)
    return workspace


def find_workspace(named: str) -> Workspace:
    """The workspace of a persona in the data folder, or at a path, in whatever form its files are."""
    for folder in (personas_folder() / named, Path(named)):
        # Unlike Path.is_file this does not raise where a name is longer than any file's.
        if os.path.isfile(folder / PERSONA):
            return Workspace(folder)
    known = ", ".join(sorted(path.parent.name for path in personas_folder().glob(f"*/{PERSONA}")))
    hint = f"there are {known}" if known else "make one with `zoetrope persona new`"
    raise UserError(f"There is no persona called {named!r}; {hint}.")


def new_workspace(folder: Path, persona: Persona, document: Path | None = None) -> Workspace:
    """Begin a workspace; `document` is the consent that was granted. Nothing is left behind if it fails."""
    if persona.name in TAKEN:
        raise UserError(f"No persona can be called {persona.name!r}, as its trainings keep a file of that name.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is already there and not empty; it was left as it is.")
    workspace = Workspace(folder)
    try:
        (folder / ev.SOURCES).mkdir(parents=True, exist_ok=True)
        if document is not None:
            data = _read_document(document)
            kept = Path("consent") / document.name
            write_atomic(folder / kept, data)
            consent = persona.consent.model_copy(update={"document": kept.as_posix(), "sha256": hash_bytes(data)})
            persona = persona.model_copy(update={"consent": consent})
        workspace.record([ev.Created(name=persona.name)])
        mark_new(folder)
        # Last, as only a folder with this file counts as a workspace.
        write_persona(folder / PERSONA, persona)
    except (OSError, UserError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, UserError):
            raise
        raise UserError(f"{folder} could not be made ({error.strerror}).") from error
    return workspace


def _read_document(path: Path) -> bytes:
    try:
        return read_limited(path, _CONSENT_BYTES)
    except MediaError as error:
        raise UserError(f"The consent could not be read: {error}") from error
