"""Faults of the machine and not of the program: a full disk, a locked database. Each is told with what to do."""

import errno
import logging
import sqlite3
from collections.abc import Iterator

FULL = "The disk is full: make room and try again; what was saved before is kept."
LOCKED = "The database is locked by another program: close what has it open and try again; nothing was changed."
UNWRITABLE = "The studio's folder cannot be written: give rights there and try again; nothing was changed."
DAMAGED = "The database is damaged: put it back from a backup; the personas' own folders are not touched."
AWAY = "The database cannot be reached: see that it runs and that DATABASE_URL is right; nothing was changed."

_OF_FILES = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EROFS: UNWRITABLE,
    errno.EMFILE: "Too many files are open at once: send fewer of them, or a ZIP archive; nothing was changed.",
}
_OF_SQLITE = {
    "SQLITE_BUSY": LOCKED,
    "SQLITE_LOCKED": LOCKED,
    "SQLITE_FULL": FULL,
    "SQLITE_IOERR": "The disk took no more data, as when it is full: make room and try again; nothing was changed.",
    "SQLITE_READONLY": UNWRITABLE,
    "SQLITE_CANTOPEN": UNWRITABLE,
    "SQLITE_CORRUPT": DAMAGED,
    "SQLITE_NOTADB": DAMAGED,
}
_OF_POSTGRES = {"53100": FULL, "55P03": LOCKED}


def sentence(error: BaseException | None) -> str:
    """What to tell of such a fault; empty if it is none."""
    return next(filter(None, map(_told, _chain(error))), "")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it came from: Django and SQLAlchemy wrap what a database says."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _told(error: BaseException) -> str:
    if isinstance(error, sqlite3.Error):
        # Its subkinds, such as SQLITE_BUSY_SNAPSHOT, begin with its name.
        kind = "_".join(str(getattr(error, "sqlite_errorname", "")).split("_")[:2])
        return _OF_SQLITE.get(kind, "")
    if isinstance(error, OSError):
        return _OF_FILES.get(error.errno or 0, "")
    # By name, since psycopg may not be installed.
    if type(error).__module__.startswith("psycopg"):
        away = AWAY if type(error).__name__ == "OperationalError" else ""
        return _OF_POSTGRES.get(str(getattr(error, "sqlstate", "")), away)
    return ""


class Shortened(logging.Filter):
    """Such a fault takes one line of a log, and so does what a visitor was refused: tracebacks would tell no more."""

    def filter(self, record: logging.LogRecord) -> bool:
        told = sentence(record.exc_info[1]) if record.exc_info else ""
        if told:
            record.msg, record.args, record.exc_info = f"{record.getMessage()}: {told}", (), None
        if record.name.startswith("django.") and record.levelno < logging.ERROR:
            record.exc_info = None
        return True
