"""Where the site's rows live: SQLite in the home by default, PostgreSQL where `DATABASE_URL` says so."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from zoetrope.errors import UserError

NAME = "studio.sqlite"
# Readers never wait for the writer, a writer waits for another, and every connection keeps foreign keys.
_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000; "
    "PRAGMA mmap_size=134217728; PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY;"
)


def database(url: str | None, home: Path) -> dict[str, Any]:
    """Django's settings for a database; without a URL, SQLite beside everything else."""
    if not url:
        return _sqlite(home / NAME)
    parts = urlsplit(url)
    if parts.scheme in ("postgres", "postgresql"):
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(parts.port or ""),
            "OPTIONS": dict(parse_qsl(parts.query)),
            # Each request has a thread of its own, so what outlived it would be of no use to any other.
            "CONN_MAX_AGE": 0,
        }
    if parts.scheme == "sqlite":
        return _sqlite(Path(unquote(parts.path)))
    raise UserError(f"DATABASE_URL begins with {parts.scheme!r}: give postgresql://… or leave it away for SQLite.")


def _sqlite(path: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        # A transaction that will write says so at once, instead of failing halfway when another was faster.
        "OPTIONS": {"init_command": _PRAGMAS, "transaction_mode": "IMMEDIATE", "timeout": 20},
    }
