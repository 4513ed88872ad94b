"""Ideas for what is thin: asked for, told who wrote them, drawn or rejected by a person."""

from collections.abc import Callable

import pytest

from tests.studio.conftest import Cast, Told
from tests.studio.planning.test_gap_pages import won
from tests.studio.planning.test_pillars import API, pillar, stocked
from tests.studio.test_api import Program
from tests.studio.test_pipelines import two
from zoetrope.errors import UserError
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.pipelines import runs
from zoetrope.studio.pipelines.models import IllegalMove, Pipeline, Run
from zoetrope.studio.planning import filling, ideas, pillars
from zoetrope.studio.planning.models import GapRun, Idea, Pillar
from zoetrope.studio.planning.standing import outlook
from zoetrope.studio.writing import seam

__all__ = ["two"]
IDEAS = "/s/studio/p/ada/ideas/"
State = Idea.State


class Pen:
    """A writer that remembers what it was told."""

    name = "a pen"

    def __init__(self) -> None:
        self.briefs: list[seam.IdeaBrief] = []

    def captions(self, brief: seam.Brief, count: int) -> list[seam.Caption]:
        raise AssertionError("no caption was asked for")

    def ideas(self, brief: seam.IdeaBrief) -> list[seam.Idea]:
        self.briefs.append(brief)
        told = f"portrait of ada, {brief.pillar.lower()} {len(self.briefs)}"
        return [seam.Idea(f"About {brief.pillar}", "A day.", told, "a pen")] * brief.count


@pytest.fixture
def pen(monkeypatch: pytest.MonkeyPatch) -> Pen:
    made = Pen()
    monkeypatch.setattr(ideas, "_writer", lambda _: made)
    return made


def written(cast: Cast) -> list[Idea]:
    """Ask for ideas, and carry out the job."""
    job = ideas.ask(cast.ada)
    work = Told()
    work.key = job.key
    ideas.write(work, **job.args)
    jobs.Job.objects.filter(pk=job.pk).update(state=jobs.State.DONE)
    return list(Idea.objects.filter(job=job.key).order_by("pk"))


def idea(of: Pillar, **more: object) -> Idea:
    said = {"title": "A walk", "prompt": "portrait of ada, in a park", "by": "a pen"} | more
    return Idea.objects.create(space=of.space, persona=of.persona, pillar=of, **said)


def test_the_three_thinnest_get_one_each(cast: Cast, pen: Pen) -> None:
    stocked(cast.ada, 6, name="Rich", weight=10)
    stocked(cast.ada, 1, name="Thin", weight=30)
    pillar(cast.ada, "Bare", 40, guidelines="Outdoors.")
    stocked(cast.ada, 1, name="Fine", weight=20)
    found = written(cast)
    assert [each.pillar.name for each in found] == ["Bare", "Thin", "Fine"]
    assert {(each.state, each.by) for each in found} == {("pending", "a pen")}
    brief = pen.briefs[0]
    assert (brief.pillar, brief.guidelines, brief.persona, brief.count) == ("Bare", "Outdoors.", "ada", 1)
    assert brief.base_model == cast.ada.base
    page = cast.clients["vic"].get(IDEAS).content.decode()
    assert page.count("Written by a pen") == 3


def test_each_is_told_to_differ_from_the_last(cast: Cast, pen: Pen, two: Pipeline) -> None:
    row = pillar(cast.ada, "Walks")
    runs.start(two, cast.ada, "", {"prompt": "at sea"}, None)
    idea(row, prompt="in a café", state=State.REJECTED)
    written(cast)
    assert pen.briefs[0].recent_prompts == ("in a café", "at sea")
    written(cast)
    assert pen.briefs[1].recent_prompts == ("portrait of ada, walks 1", "in a café", "at sea")


def test_a_job_that_is_called_again_writes_nothing_twice(cast: Cast, pen: Pen) -> None:
    pillar(cast.ada, "Walks", 50)
    pillar(cast.ada, "Food", 40)
    job = ideas.ask(cast.ada)
    work = Told()
    work.key = job.key
    for _ in range(2):
        ideas.write(work, **job.args)
    assert Idea.objects.count() == len(pen.briefs) == 2


def test_nothing_is_asked_for_twice_or_for_nothing(cast: Cast, pen: Pen) -> None:
    with pytest.raises(UserError, match="no pillar today"):
        ideas.ask(cast.ada)
    row = pillar(cast.ada, "Walks")
    job = ideas.ask(cast.ada)
    with pytest.raises(UserError, match="being written already"):
        ideas.ask(cast.ada)
    assert 'hx-trigger="every' in cast.clients["vic"].get(IDEAS).content.decode()
    job.move(jobs.State.CANCELLED)
    for _ in range(ideas.MOST_PENDING):
        idea(row)
    with pytest.raises(UserError, match="60 ideas wait already"):
        ideas.ask(cast.ada)


def test_an_accepted_idea_is_drawn_and_its_winner_goes_to_its_pillar(cast: Cast, two: Pipeline) -> None:
    row = pillar(cast.ada, "Walks")
    found = idea(row)
    answer = cast.clients["rui"].post(f"{IDEAS}{found.pk}/act/", {"do": "accept", "pipeline": two.pk})
    run = Run.objects.get()
    assert answer.headers["Location"] == f"/s/studio/runs/{run.pk}/"
    found.refresh_from_db()
    assert (found.state, found.run, GapRun.objects.get().pillar) == ("used", run, row)
    assert (run.name, run.variables) == ("A walk", {"prompt": "portrait, in a park"})
    assert won(run) in row.clusters.get().kept.all()
    again = cast.clients["rui"].post(f"{IDEAS}{found.pk}/act/", {"do": "accept", "pipeline": two.pk})
    assert (again.status_code, "is used by now" in again.content.decode()) == (400, True)
    assert Run.objects.count() == 1


def test_waiting_ideas_go_before_new_ones(cast: Cast, two: Pipeline) -> None:
    row = pillar(cast.ada, "Walks", posts_per_week=0.5)
    waiting = idea(row)
    idea(row, title="Rejected", state=State.REJECTED)
    standing = outlook(cast.ada).standings[0]
    assert standing.lacking == 2
    first, second = filling.make(standing, two, None)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.run) == ("used", first)
    fresh = Idea.objects.get(run=second)
    assert (fresh.by, fresh.state) == ("template", "used")
    assert Idea.objects.filter(state=State.REJECTED).count() == 1


def test_whoever_changes_a_prompt_is_told_with_it(cast: Cast, two: Pipeline) -> None:
    found = idea(pillar(cast.ada, "Walks"))
    said = {"do": "accept", "pipeline": two.pk, "prompt": " at sea, in the rain "}
    cast.clients["rui"].post(f"{IDEAS}{found.pk}/act/", said)
    found.refresh_from_db()
    assert (found.prompt, found.by) == ("at sea, in the rain", "a pen, changed by rui")
    assert Run.objects.get().variables == {"prompt": "at sea, in the rain"}
    assert "Written by a pen, changed by rui" in cast.clients["vic"].get(f"{IDEAS}?state=used").content.decode()


def test_a_start_that_fails_leaves_the_idea_as_it_was(cast: Cast, two: Pipeline) -> None:
    row = pillar(cast.ada, "Walks")
    found = idea(row)
    pillars.retire(row)
    said = {"do": "accept", "pipeline": two.pk, "prompt": "at sea"}
    refused = cast.clients["rui"].post(f"{IDEAS}{found.pk}/act/", said)
    assert (refused.status_code, "is retired" in refused.content.decode()) == (400, True)
    found.refresh_from_db()
    assert (found.state, found.prompt, found.by, found.run) == ("pending", "portrait of ada, in a park", "a pen", None)
    assert not Run.objects.exists()
    empty = cast.clients["rui"].post(f"{IDEAS}{found.pk}/act/", said | {"prompt": "  "})
    assert "A prompt has 1 to 2000 characters" in empty.content.decode()


def test_an_idea_goes_only_where_its_state_leads(cast: Cast) -> None:
    row = pillar(cast.ada, "Walks")
    for start in State:
        for to in State:
            found = idea(row, state=start)
            if to in Idea.MOVES[start]:
                assert found.move(to).state == to
            else:
                with pytest.raises(IllegalMove):
                    found.move(to)


def test_a_rejected_idea_can_be_brought_back(cast: Cast) -> None:
    found = idea(pillar(cast.ada, "Walks"))
    rui, at = cast.clients["rui"], f"{IDEAS}{found.pk}/act/"
    rui.post(at, {"do": "reject"})
    assert "A walk" not in rui.get(IDEAS).content.decode()
    assert "A walk" in rui.get(f"{IDEAS}?state=rejected").content.decode()
    assert rui.post(at, {"do": "reject"}).status_code == 400
    rui.post(at, {"do": "restore"})
    assert "A walk" in rui.get(IDEAS).content.decode()
    assert rui.post(at, {"do": "frame"}).status_code == 400


def test_each_gets_what_is_theirs(cast: Cast, two: Pipeline) -> None:
    row = pillar(cast.ada, "Walks")
    for who, looks, acts in (("olga", 200, 302), ("rui", 200, 302), ("vic", 200, 403), ("sam", 404, 404)):
        client = cast.clients[who]
        found = idea(row)
        assert client.get(IDEAS).status_code == looks
        assert client.post(f"{IDEAS}{found.pk}/act/", {"do": "reject"}).status_code == acts
        jobs.Job.objects.all().delete()
        assert client.post(IDEAS).status_code == acts
    assert "Draw it" not in cast.clients["vic"].get(IDEAS).content.decode()
    assert cast.clients["rui"].post(f"{IDEAS}{found.pk + 99}/act/", {"do": "reject"}).status_code == 404


def test_what_a_writer_says_is_text_and_no_markup(cast: Cast) -> None:
    idea(pillar(cast.ada, "Walks"), title="<script>x</script>", by="<b>pen</b>", prompt="</textarea><script>")
    page = cast.clients["rui"].get(IDEAS).content.decode()
    assert "<script>x" not in page
    assert "<b>pen" not in page
    assert "</textarea><script>" not in page


def test_a_program_does_the_same(cast: Cast, two: Pipeline) -> None:
    rui, vic = Program(cast, "rui"), Program(cast, "vic")
    row = pillar(cast.ada, "Walks")
    first, second = idea(row), idea(row)
    told = vic("GET", f"{API}/ideas")
    assert [(each["id"], each["by"], each["pillar"]) for each in told] == [
        (second.pk, "a pen", row.pk),
        (first.pk, "a pen", row.pk),
    ]
    vic("POST", f"{API}/ideas/{first.pk}", 403, do="reject")
    assert rui("POST", f"{API}/ideas/{first.pk}", do="reject")["state"] == "rejected"
    assert rui("POST", f"{API}/ideas/{first.pk}", do="restore")["state"] == "pending"
    drawn = rui("POST", f"{API}/ideas/{first.pk}", do="accept", pipeline=two.pk, prompt="at sea")
    assert (drawn["state"], drawn["run"], drawn["by"]) == ("used", Run.objects.get().pk, "a pen, changed by rui")
    assert [each["id"] for each in vic("GET", f"{API}/ideas?state=used")] == [first.pk]
    assert rui("POST", f"{API}/ideas", 202) == {"job": jobs.Job.objects.get(kind="ideas").pk}
    vic("GET", f"{API}/ideas?state=lost", 422)


def test_a_writer_that_fails_is_told_in_its_own_words(cast: Cast, pen: Pen, monkeypatch: pytest.MonkeyPatch) -> None:
    pillar(cast.ada, "Walks")

    def tired(_: seam.IdeaBrief) -> list[seam.Idea]:
        raise UserError("The writer does not answer.")

    monkeypatch.setattr(pen, "ideas", tired)
    write: Callable[[Cast], list[Idea]] = written
    with pytest.raises(UserError, match="does not answer"):
        write(cast)
    assert not Idea.objects.exists()
