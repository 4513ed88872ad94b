"""Where the site's rows live: SQLite in the home by default, PostgreSQL where `DATABASE_URL` says so."""

from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from zoetrope.errors import UserError

NAME, JOBS = "studio.sqlite", "jobs.sqlite"
# SQLite gives the files beside a database the rights of the database, when it makes them.
_COMPANIONS = ("", "-wal", "-shm", "-journal")
# Whoever looks at a page waits this long for a locked database.
PAGE_SECONDS = 5
# Readers never wait for the writer, a writer waits for another, and every connection keeps foreign keys.
_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000; "
    "PRAGMA mmap_size=134217728; PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY;"
)


def database(url: str | None, home: Path) -> dict[str, Any]:
    """Django's settings for a database; without a URL, SQLite beside everything else."""
    if not url:
        return _sqlite(home / NAME)
    parts, port = _read(url)
    if parts.scheme in ("postgres", "postgresql"):
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(port or ""),
            "OPTIONS": dict(parse_qsl(parts.query)),
            # Each request has a thread of its own, so what outlived it would be of no use to any other.
            "CONN_MAX_AGE": 0,
        }
    if parts.scheme == "sqlite":
        return _sqlite(Path(unquote(parts.path)))
    raise UserError(f"DATABASE_URL begins with {parts.scheme!r}: give postgresql://… or leave it away for SQLite.")


def _read(url: str) -> tuple[SplitResult, int | None]:
    """An address's parts. One that has none is not repeated: its password may be anywhere in it."""
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError:
        raise UserError(
            "DATABASE_URL cannot be read: in its password write / : @ # ? [ ] as %2F %3A %40 %23 %3F %5B %5D, and the "
            "port as a number; nothing was changed."
        ) from None


def close_to_others(path: Path) -> None:
    """Logins lie in a database: it is its owner's alone to read, from the moment it is made."""
    path.touch(mode=0o600)
    for file in (path.with_name(path.name + end) for end in _COMPANIONS):
        # One that SQLite takes away in between is no trouble, nor one of somebody else's, who knows what they did.
        with suppress(FileNotFoundError, PermissionError):
            file.chmod(0o600)


def _sqlite(path: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        # A transaction that will write says so at once, instead of failing halfway when another was faster.
        "OPTIONS": {"init_command": _PRAGMAS, "transaction_mode": "IMMEDIATE", "timeout": 20},
    }
