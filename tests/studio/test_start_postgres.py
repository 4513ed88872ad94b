"""A studio on PostgreSQL, which takes a hundred connections from everybody together."""

from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from pytest_django import DjangoDbBlocker

from tests.needs import lacking
from tests.postgres import MISSING, cluster
from tests.studio.jobs.stage import new_database
from tests.studio.start_stage import Studio, Visitor

REQUESTS = 40
SETTINGS = "zoetrope.studio.settings"


def test_requests_and_streams_keep_no_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker
) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    with cluster() as folder:
        if folder is None:
            lacking(MISSING)
        with django_db_blocker.unblock():
            address = new_database(folder)
        studio = Studio(tmp_path / "home", tmp_path)
        told = studio.start("--no-browser", DATABASE_URL=address, DJANGO_SETTINGS_MODULE=SETTINGS)
        try:
            visitor = Visitor(studio, urlsplit(told["opens"]).path)
            before = _connections(address)
            for _ in range(REQUESTS):
                assert visitor.get("/s/studio/jobs/").status_code == 200
                with visitor.stream("/s/studio/jobs/live/") as answer:
                    assert next(answer.iter_text()).startswith("retry")
            assert _connections(address) < before + REQUESTS / 4
        finally:
            studio.kill()


def _connections(address: str) -> int:
    with psycopg.connect(address) as connection:
        row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()").fetchone()
    assert row is not None
    return int(row[0])
