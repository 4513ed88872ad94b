"""A long list of jobs: a glance at each state, and every job of one state page by page."""

import re

from tests.studio.conftest import Cast
from zoetrope.studio.jobs.models import Job, LogLine, State
from zoetrope.studio.spaces.work import scope_of

AT = "/s/studio/jobs/"


def numbers(page: str) -> list[int]:
    return [int(number) for number in re.findall(r"Note (\d+)</a>", page)]


def jobs(cast: Cast, count: int, state: State) -> list[Job]:
    rows = (
        Job(key=f"{state}-{n}", kind="note", scope=scope_of(cast.space), title=f"Note {n}", state=state)
        for n in range(count)
    )
    return Job.objects.bulk_create(rows)


def test_a_long_state_is_looked_through_page_by_page(cast: Cast) -> None:
    jobs(cast, 130, State.DONE)
    jobs(cast, 3, State.FAILED)
    vic = cast.clients["vic"]
    glance = vic.get(AT).content.decode()
    assert numbers(glance) == [2, 1, 0, *range(129, 117, -1)]
    shown = []
    address = "?state=done&amp;after=0"
    while address:
        page = vic.get(AT + address.replace("&amp;", "&")).content.decode()
        shown += numbers(page)
        address = next(iter(re.findall(r'href="(\?state=done&amp;after=\d+)"', page)), "")
    assert shown == list(range(129, -1, -1))


def test_an_unknown_state_is_the_glance(cast: Cast) -> None:
    jobs(cast, 2, State.WAITING)
    assert numbers(cast.clients["vic"].get(f"{AT}?state=nonsense&after=x").content.decode()) == [0, 1]


def test_a_log_with_html_is_only_text(cast: Cast) -> None:
    (job,) = jobs(cast, 1, State.DONE)
    LogLine.objects.create(job=job, text="<script>alert(1)</script>")
    page = cast.clients["vic"].get(f"{AT}{job.pk}/").content.decode()
    assert "&lt;script&gt;alert(1)" in page
