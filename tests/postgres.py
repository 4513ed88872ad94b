"""A throwaway PostgreSQL for tests and benchmarks."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MISSING = "PostgreSQL is not installed (on Debian and Ubuntu: apt install postgresql)"


def program(name: str) -> str | None:
    """A program of PostgreSQL, which Debian keeps out of the path."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(debian[-1]) if debian else None)


@contextmanager
def cluster() -> "Iterator[str | None]":
    """A server on a socket of its own: the folder of the socket, or nothing where PostgreSQL is not installed."""
    initdb, pg_ctl = program("initdb"), program("pg_ctl")
    if initdb is None or pg_ctl is None:
        yield None
        return
    # Short, as a socket's path may not be long; and PostgreSQL refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="zpg-", dir="/tmp"))
    other: dict[str, Any] = {"user": "nobody", "group": "nogroup"} if os.getuid() == 0 else {}
    if other:
        shutil.chown(folder, **other)
    data, options = folder / "data", f"-k {folder} -c listen_addresses= -c fsync=off"
    quiet: dict[str, Any] = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder, **other}
    subprocess.run([initdb, "-D", data, "-U", "zoetrope", "--auth=trust", "--no-sync"], **quiet)
    subprocess.run([pg_ctl, "-D", data, "-l", folder / "log", "-o", options, "-w", "start"], **quiet)
    try:
        yield str(folder)
    finally:
        subprocess.run([pg_ctl, "-D", data, "-m", "immediate", "-w", "stop"], **quiet)
        shutil.rmtree(folder)


def address(folder: str, name: str) -> str:
    """DATABASE_URL of one of its databases."""
    return f"postgresql://zoetrope@/{name}?host={folder}"
