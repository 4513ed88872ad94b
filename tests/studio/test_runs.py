"""Runs that several people look at: what one decides while another's page is old, and what is said of a run."""

import json
import time

import pytest
from django.utils import timezone

from tests.studio.conftest import Cast
from tests.studio.test_pipelines import SMALL, come, drawn, opened, run, two
from zoetrope.errors import UserError
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.pipelines import growing, keeping, runs, telling
from zoetrope.studio.pipelines.forms import StepForm
from zoetrope.studio.pipelines.models import Candidate, Gate, Pipeline, Run, Step
from zoetrope.studio.pipelines.steps import StepIn, checked
from zoetrope.studio.voting import casting
from zoetrope.studio.voting.models import Vote

__all__ = ["run", "two"]
ACTIVE, PENDING = Candidate.State.ACTIVE, Candidate.State.PENDING


@pytest.fixture
def drafts(run: Run) -> Step:
    """Four pictures that are there."""
    come(run)
    run.refresh_from_db()
    return run.version.steps.all()[0]


def none_of_them(cast: Cast, run: Run, step: Step, who: str) -> None:
    members = list(run.candidates.filter(step=step).values_list("pk", flat=True))
    casting.cast(run, step, Vote.Kind.BAD, members, None, cast.user(who))


def states(run: Run) -> set[str]:
    return set(run.candidates.values_list("state", flat=True))


def test_what_comes_back_grows_again(cast: Cast, run: Run, drafts: Step) -> None:
    gate = opened(run, drafts, 2)
    through = list(run.candidates.filter(gate=gate).values_list("pk", flat=True))
    casting.cast(run, drafts, Vote.Kind.BAD, through, None, cast.user("rui"))
    assert growing.grow() == 0
    casting.take_back(run, drafts, cast.user("rui"))
    assert growing.grow() > 0


def test_what_somebody_else_found_bad_too_stays_away(cast: Cast, run: Run, drafts: Step) -> None:
    none_of_them(cast, run, drafts, "rui")
    for candidate in run.candidates.all():
        runs.restore(candidate)
    none_of_them(cast, run, drafts, "olga")
    casting.take_back(run, drafts, cast.user("rui"))
    assert states(run) == {"rejected"}
    casting.take_back(run, drafts, cast.user("olga"))
    assert states(run) == {"active"}


def test_a_winner_is_not_rejected_from_an_old_page(cast: Cast, run: Run, drafts: Step) -> None:
    old = Run.objects.get(pk=run.pk)
    winner = run.candidates.first()
    assert winner is not None
    stale = Candidate.objects.select_related("run").get(pk=winner.pk)
    runs.crown(run, winner)
    with pytest.raises(UserError, match="the run's winner"):
        none_of_them(cast, old, drafts, "rui")
    with pytest.raises(UserError, match="the run's winner"):
        runs.reject(stale)
    assert states(run) == {"active"}


def test_what_was_rejected_is_not_crowned_from_an_old_page(cast: Cast, run: Run, drafts: Step) -> None:
    shown = run.candidates.first()
    assert shown is not None
    none_of_them(cast, run, drafts, "rui")
    with pytest.raises(UserError, match="not rejected"):
        runs.crown(run, shown)
    run.refresh_from_db()
    assert (run.state, run.winner) == ("running", None)


def test_only_a_run_with_a_winner_is_chosen_again(run: Run) -> None:
    runs.stop(run)
    with pytest.raises(UserError, match="has no winner"):
        runs.uncrown(run)
    run.refresh_from_db()
    assert run.state == "stopped"


def test_choosing_again_gives_what_was_let_through_its_grace_again(run: Run, drafts: Step) -> None:
    gate = runs.approve(run, drafts, 2, None)
    winner = run.candidates.first()
    assert winner is not None
    runs.crown(run, winner)
    Gate.objects.filter(pk=gate.pk).update(opens=timezone.now())
    runs.uncrown(run)
    assert growing.grow() == 0
    runs.take_back(gate)


def test_what_was_cancelled_before_it_began_does_not_hold_a_gate(run: Run, drafts: Step) -> None:
    gate = opened(run, drafts, 2)
    growing.grow()
    runs.stop(run)
    run.refresh_from_db()
    # As the worker takes it from the queue.
    jobs.Job.objects.filter(state=jobs.State.WAITING).update(state=jobs.State.CANCELLED)
    runs.go_on(run)
    runs.take_back(gate)
    assert run.candidates.count() == 4


def test_nothing_more_is_asked_for_where_nothing_could_grow(run: Run, drafts: Step) -> None:
    second = run.version.steps.all()[1]
    opened(run, drafts, 2)
    come(run)
    for candidate in run.candidates.filter(state=ACTIVE):
        runs.reject(candidate)
    with pytest.raises(UserError, match="bring one of them back first"):
        runs.draw_more(run, second, 5)
    run.refresh_from_db()
    assert run.wanted(second) == second.children


def test_as_many_go_on_as_there_were(cast: Cast, run: Run, drafts: Step) -> None:
    said = {"do": "approve", "step": drafts.pk, "keep": "16"}
    page = cast.clients["rui"].post(f"/s/{cast.space.slug}/runs/{run.pk}/act/", said, follow=True).content.decode()
    assert "The best 4 of Drafts go on" in page
    assert "The best 4 went on" in page
    assert "best 16" not in page


def test_a_gate_that_stays_open_offers_nothing_to_take_back(cast: Cast, run: Run, drafts: Step) -> None:
    address = f"/s/{cast.space.slug}/runs/{run.pk}/"
    opened(run, drafts, 2)
    assert "Take that back" in cast.clients["rui"].get(address).content.decode()
    come(run)
    assert "Take that back" not in cast.clients["rui"].get(address).content.decode()


def test_a_run_whose_last_picture_is_on_its_way_still_draws(cast: Cast, run: Run) -> None:
    come(run, 3)
    growing.grow()
    last = run.candidates.get(state=PENDING)
    run.refresh_from_db()
    assert run.wake is None
    assert "1 run drawing" in cast.clients["rui"].get(f"/s/{cast.space.slug}/p/ada/").content.decode()
    assert telling.standing(run, telling.coming([run])) == "drawing"
    growing.arrived(last, drawn(last))
    assert telling.standing(run, telling.coming([run])) == "choosing"
    assert "1 waiting for votes" in cast.clients["rui"].get(f"/s/{cast.space.slug}/p/ada/").content.decode()


def test_votes_are_asked_for_where_there_is_something_to_choose(cast: Cast, two: Pipeline) -> None:
    one = keeping.make(cast.space, "One", "", [StepIn(name="P", template=SMALL, children=1)], None)
    come(runs.start(one, cast.ada, "single", {"prompt": "x"}, None))
    four = runs.start(two, cast.ada, "four", {"prompt": "x"}, None)
    come(four)
    anywhere = f"/s/{cast.space.slug}/vote/"
    assert cast.clients["rui"].get(anywhere)["Location"].endswith(f"/runs/{four.pk}/vote/")
    assert "1 waiting for votes" in cast.clients["rui"].get(f"/s/{cast.space.slug}/p/ada/").content.decode()
    runs.approve(four, four.version.steps.all()[0], 2, None)
    Run.objects.update(wake=None)
    assert cast.clients["rui"].get(anywhere)["Location"].endswith("/runs/")
    assert "no votes waiting" in cast.clients["rui"].get(f"/s/{cast.space.slug}/p/ada/").content.decode()
    Gate.objects.update(opens=timezone.now())
    Run.objects.update(wake=timezone.now())
    come(four)
    assert cast.clients["rui"].get(anywhere)["Location"].endswith(f"/runs/{four.pk}/vote/")
    assert "1 waiting for votes" in cast.clients["rui"].get(f"/s/{cast.space.slug}/p/ada/").content.decode()


def test_a_run_with_a_winner_asks_for_no_votes(cast: Cast, run: Run, drafts: Step) -> None:
    winner = run.candidates.first()
    assert winner is not None
    runs.crown(run, winner)
    answer = cast.clients["rui"].get(f"/s/{cast.space.slug}/runs/{run.pk}/vote/", follow=True)
    assert answer.redirect_chain[-1][0] == f"/s/{cast.space.slug}/runs/{run.pk}/"
    assert "has its winner" in answer.content.decode()


def test_blanks_in_braces_take_no_time(cast: Cast) -> None:
    steps = [{"name": "s", "template": {"prompt": "{{" + " " * 2000}}]
    began = time.perf_counter()
    body = json.dumps({"name": "n", "steps": steps})
    address = f"/api/spaces/{cast.space.slug}/pipelines"
    cast.clients["olga"].post(address, body, content_type="application/json")
    assert time.perf_counter() - began < 2


def test_a_variable_has_a_name_that_can_be_written(cast: Cast, two: Pipeline) -> None:
    with pytest.raises(UserError, match="no name of a variable"):
        runs.start(two, cast.ada, "", {"prompt": "x", "k" * 100_000: "v"}, None)
    assert not Run.objects.exists()


def test_no_more_can_go_on_than_come() -> None:
    few = [StepIn(name="Drafts", children=2, keep=9), StepIn(name="Finished")]
    with pytest.raises(UserError, match="Of Drafts come 2 pictures; 9 of them cannot go on"):
        checked(few)
    checked([StepIn(name="Drafts", children=3, keep=3), StepIn(name="More", children=2, keep=6), StepIn(name="Last")])


@pytest.mark.parametrize(
    ("said", "field"), [({"prompt": "words"}, "name"), ({"name": "Drafts", "model": "nonsense"}, "model")]
)
def test_what_was_typed_into_a_step_is_not_lost(said: dict[str, str], field: str) -> None:
    form = StepForm(said | {"children": "2", "keep": "1"})
    assert not form.is_valid()
    assert field in form.errors
