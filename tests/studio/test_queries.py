"""How often each page asks the database: as often for sixty of everything as for three, and seldom."""

from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.studio.crowd import Crowd, Size, crowd, pages
from zoetrope.studio.jobs.models import Job, Worker
from zoetrope.studio.spaces.models import Space, User

MOST = 17


def of_each(count: int) -> Size:
    """So much of everything; of jobs at least one in each state, as each is asked for."""
    return Size(pictures=count, loras=count, others=count, jobs=count + 5, rounds=count, steps=count)


@pytest.mark.django_db
def test_more_of_everything_asks_nothing_more(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = []
    for count in (3, 60):
        for model in (Space, User, Job, Worker):
            model.objects.all().delete()
        monkeypatch.setenv("ZOETROPE_HOME", str(tmp_path / str(count)))
        found.append(asked(crowd(of_each(count))))
    few, many = found
    assert many == few
    assert len(few) > 30, "the pages were not found"
    assert {name: count for name, count in many.items() if count > MOST} == {}


def asked(there: Crowd) -> dict[str, int]:
    """Queries of every page that a member can open, by its name."""
    client = Client()
    client.force_login(there.olga)
    counts = {}
    for page in pages(there):
        # The second time, as the first may have to remember where the visitor was.
        statuses = {client.get(path).status_code for path in page.paths}
        assert statuses <= {200, 302, 405}, f"{page.name} does not open"
        if 405 not in statuses:
            counts[page.name] = _queries(client, page.paths[0])
    return counts


def _queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        client.get(path)
    return len(queries)
