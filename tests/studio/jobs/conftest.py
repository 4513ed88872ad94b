"""A studio's database for each test, on SQLite and on PostgreSQL, and real worker processes beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests.needs import lacking
from tests.postgres import MISSING, cluster
from tests.studio.jobs import trial
from tests.studio.jobs.stage import Workers, new_database, tables

trial.register()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A throwaway PostgreSQL: the folder of its socket."""
    with cluster() as folder:
        if folder is None:
            lacking(MISSING)
        yield folder


@pytest.fixture
def sqlite(own_home: Path, monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker) -> Iterator[Path]:
    """A studio's home with its tables in SQLite."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with django_db_blocker.unblock():
        yield from _home(own_home)


@pytest.fixture
def on_postgres(
    own_home: Path, monkeypatch: pytest.MonkeyPatch, postgres: str, django_db_blocker: DjangoDbBlocker
) -> Iterator[Path]:
    """A studio's home with its tables in PostgreSQL."""
    # First set by monkeypatch, so that it is put back afterwards.
    monkeypatch.setenv("DATABASE_URL", "")
    with django_db_blocker.unblock():
        monkeypatch.setenv("DATABASE_URL", new_database(postgres))
        yield from _home(own_home)


def _home(own_home: Path) -> Iterator[Path]:
    home = own_home / "zoetrope"
    home.mkdir()
    with tables():
        yield home


@pytest.fixture(params=["sqlite", "on_postgres"])
def studio(request: pytest.FixtureRequest) -> Path:
    """A studio's home, once with each database."""
    home: Path = request.getfixturevalue(request.param)
    return home


@pytest.fixture
def workers(studio: Path) -> Iterator[Workers]:
    """Starts workers on either database, and leaves none behind."""
    workers = Workers(studio)
    yield workers
    workers.kill()


@pytest.fixture
def sqlite_workers(sqlite: Path) -> Iterator[Workers]:
    """Starts workers on SQLite."""
    workers = Workers(sqlite)
    yield workers
    workers.kill()


@pytest.fixture
def postgres_workers(on_postgres: Path) -> Iterator[Workers]:
    """Starts workers on PostgreSQL."""
    workers = Workers(on_postgres)
    yield workers
    workers.kill()
