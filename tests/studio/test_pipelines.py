"""Pipelines and their runs: what is drawn when, what goes on, and what can be taken back."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from tests import tiny
from tests.studio.conftest import Cast, Told
from zoetrope.engines.local.process import EngineProcess
from zoetrope.errors import UserError
from zoetrope.models.catalogue import Catalogue
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.making import tasks as making
from zoetrope.studio.making.models import Made
from zoetrope.studio.pipelines import growing, keeping, recipes, runs, tasks
from zoetrope.studio.pipelines.models import Candidate, Gate, Pipeline, Run, Step
from zoetrope.studio.pipelines.steps import StepIn
from zoetrope.studio.pipelines.variables import checked, filled

SMALL = {"steps": 1, "width": 32, "height": 32}
TWO = [
    StepIn(name="Drafts", template=SMALL, children=4, keep=2),
    StepIn(name="Finished", template=SMALL | {"prompt": "{{parent_prompt}}", "seed": "{{parent_seed}}"}, children=2),
]
PENDING, ACTIVE = Candidate.State.PENDING, Candidate.State.ACTIVE


@pytest.fixture
def two(cast: Cast) -> Pipeline:
    """Four drafts, of whose best two grow two each."""
    Catalogue().add("tiny", "flux", tiny.saved("dev"))
    type(cast.ada).objects.filter(pk=cast.ada.pk).update(base="tiny")
    cast.ada.refresh_from_db()
    return keeping.make(cast.space, "Two steps", "", TWO, cast.user("olga"))


@pytest.fixture
def run(cast: Cast, two: Pipeline) -> Run:
    return runs.start(two, cast.ada, "", {"prompt": "in a park"}, cast.user("rui"))


def come(run: Run, most: int = 1000) -> int:
    """Let pictures arrive as if they had been drawn, until nothing more is asked for; how many came."""
    number = 0
    while number < most:
        growing.grow()
        pending = run.candidates.filter(state=PENDING).order_by("pk").first()
        if pending is None:
            break
        growing.arrived(pending, drawn(pending))
        number += 1
    return number


def drawn(candidate: Candidate) -> Made:
    """Its picture's row, without a picture."""
    assert candidate.order is not None
    order = candidate.order
    said = {"space": order.space, "persona": order.persona, "recipe": order.recipe, "width": 32, "height": 32}
    return Made.objects.create(order=order, number=0, sha256=f"{candidate.pk:064x}", **said)


def rate(run: Run, step: Step, best: list[int]) -> list[Candidate]:
    """Utilities as votes would give them: those at these places the highest, in this order."""
    found = list(run.candidates.filter(step=step))
    for utility, place in enumerate(reversed(best), start=1):
        Candidate.objects.filter(pk=found[place].pk).update(utility=utility)
    return [found[place] for place in best]


def opened(run: Run, step: Step, keep: int) -> Gate:
    """A gate whose time to take back in peace is over."""
    gate = runs.approve(run, step, keep, None)
    past = timezone.now() - timedelta(seconds=1)
    Gate.objects.filter(pk=gate.pk).update(opens=past)
    Run.objects.filter(pk=run.pk).update(wake=past)
    return gate


def test_a_run_draws_its_drafts_and_then_waits_for_somebody(run: Run) -> None:
    assert come(run) == 4
    assert set(run.candidates.values_list("state", "parent")) == {("active", None)}
    run.refresh_from_db()
    assert (run.state, run.wake) == ("running", None)
    assert growing.grow() == 0


def test_only_as_much_is_asked_for_as_engines_can_take(run: Run, cast: Cast, two: Pipeline) -> None:
    growing.grow()
    assert run.candidates.count() == 2
    assert jobs.Job.objects.filter(kind="candidate").count() == 2


def test_a_run_that_cannot_be_told_stops_no_other(
    run: Run, cast: Cast, two: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = runs.start(two, cast.ada, "another", {"prompt": "at sea"}, None)
    real = recipes.recipe_of

    def failing(about: Run, *args: object) -> object:
        if about.pk == run.pk:
            raise OverflowError("a fault of ours")
        return real(about, *args)  # type: ignore[arg-type]

    monkeypatch.setattr("zoetrope.studio.pipelines.growing.recipe_of", failing)
    assert growing.grow() > 0
    run.refresh_from_db()
    assert (run.state, run.error) == ("failed", "Zoetrope failed at this run; its log says more.")
    assert other.candidates.filter(state=PENDING).exists()


def test_runs_take_turns(run: Run, cast: Cast, two: Pipeline) -> None:
    other = runs.start(two, cast.ada, "another", {"prompt": "at sea"}, None)
    asked = []
    for _ in range(6):
        growing.grow()
        for pending in Candidate.objects.filter(state=PENDING).order_by("pk"):
            asked.append(pending.run_id)
            growing.arrived(pending, drawn(pending))
    assert asked[:8] == [run.pk, other.pk] * 4


def test_the_best_go_on_and_only_they(run: Run) -> None:
    come(run)
    drafts, finished = run.version.steps.all()
    best = rate(run, drafts, [2, 0])
    opened(run, drafts, 2)
    assert come(run) == 4
    grown = run.candidates.filter(step=finished)
    assert Counter(grown.values_list("parent", flat=True)) == {best[0].pk: 2, best[1].pk: 2}
    for each in grown.select_related("order", "parent__order"):
        assert each.order is not None
        assert each.parent is not None
        assert each.parent.order is not None
        mine, before = each.order.said_recipe, each.parent.order.said_recipe
        assert (mine.seed, mine.prompt) == (before.seed, before.prompt)
    assert come(run) == 0


def test_no_gate_passes_by_itself(run: Run) -> None:
    come(run)
    for _ in range(5):
        growing.tend()
    assert run.candidates.count() == 4
    assert not run.gates.exists()


def test_nothing_behind_a_gate_starts_while_it_can_be_taken_back_in_peace(run: Run) -> None:
    come(run)
    drafts = run.version.steps.all()[0]
    gate = runs.approve(run, drafts, 1, None)
    assert growing.grow() == 0
    runs.take_back(gate)
    assert not run.candidates.filter(gate__isnull=False).exists()
    with pytest.raises(UserError, match="already"):
        runs.take_back(gate)
    runs.approve(run, drafts, 2, None)
    assert run.candidates.filter(gate__isnull=False).count() == 2


def test_a_gate_can_be_taken_back_until_something_behind_it_is_begun(run: Run) -> None:
    come(run)
    drafts = run.version.steps.all()[0]
    gate = opened(run, drafts, 1)
    growing.grow()
    runs.take_back(gate)
    assert run.candidates.count() == 4
    assert set(jobs.Job.objects.filter(kind="candidate").values_list("state", flat=True)) <= {"waiting", "cancelled"}
    gate = opened(run, drafts, 1)
    growing.grow()
    begun = run.candidates.get(
        state=PENDING, order__isnull=False, parent__isnull=False, pk=run.candidates.latest("pk").pk
    )
    jobs.Job.objects.filter(key=begun.key).update(state=jobs.State.RUNNING)
    with pytest.raises(UserError, match="has been begun"):
        runs.take_back(gate)


def test_a_gate_opens_only_for_a_step_whose_pictures_are_there(run: Run) -> None:
    drafts, finished = run.version.steps.all()
    come(run, 3)
    with pytest.raises(UserError, match="not all there"):
        runs.approve(run, drafts, 1, None)
    come(run)
    with pytest.raises(UserError, match="1 to 16"):
        runs.approve(run, drafts, 0, None)
    with pytest.raises(UserError, match="last step"):
        runs.approve(run, finished, 1, None)
    runs.approve(run, drafts, 1, None)
    with pytest.raises(UserError, match="already"):
        runs.approve(run, drafts, 1, None)


def test_what_failed_is_drawn_again_but_not_for_ever(run: Run) -> None:
    growing.grow()
    first = run.candidates.order_by("pk")[0]
    jobs.Job.objects.filter(key=first.key).update(state=jobs.State.FAILED, error="The disk is full.")
    growing.tend()
    first.refresh_from_db()
    assert first.state == "failed"
    assert come(run) == 4
    run.refresh_from_db()
    assert (run.state, run.failures, run.error) == ("running", 1, "The disk is full.")


def test_a_run_of_which_nothing_can_be_drawn_fails_and_can_be_tried_again(run: Run) -> None:
    for _ in range(6):
        growing.tend()
        keys = [each.key for each in run.candidates.filter(state=PENDING)]
        jobs.Job.objects.filter(key__in=keys).update(state=jobs.State.FAILED, error="No engine.")
    growing.tend()
    run.refresh_from_db()
    assert (run.state, run.error) == ("failed", "No engine.")
    assert not run.candidates.filter(state=PENDING).exists()
    runs.go_on(run)
    assert come(run) == 4


def test_a_parent_of_which_three_failed_gets_no_more(run: Run) -> None:
    come(run)
    opened(run, run.version.steps.all()[0], 1)
    for _ in range(8):
        growing.tend()
        keys = [each.key for each in run.candidates.filter(state=PENDING)]
        jobs.Job.objects.filter(key__in=keys).update(state=jobs.State.FAILED, error="No engine.")
    parent = run.candidates.get(gate__isnull=False)
    assert (parent.children, parent.failures >= 3) == (0, True)
    assert not run.candidates.filter(state=PENDING).exists()
    runs.go_on(run)
    assert come(run) == 2


def test_a_late_picture_counts_again(run: Run) -> None:
    growing.grow()
    first = run.candidates.order_by("pk")[0]
    jobs.Job.objects.filter(key=first.key).update(state=jobs.State.FAILED)
    growing.tend()
    growing.arrived(first, drawn(first))
    growing.arrived(first, Made.objects.get(order=first.order))
    first.refresh_from_db()
    assert first.state == "active"
    come(run)
    assert run.candidates.filter(state=ACTIVE).count() == 4


def test_a_rejected_draft_grows_nothing_and_comes_back(run: Run) -> None:
    come(run)
    drafts = run.version.steps.all()[0]
    best = rate(run, drafts, [1, 3])
    runs.reject(best[0])
    opened(run, drafts, 2)
    come(run)
    assert run.candidates.filter(parent=best[1]).count() == 2
    assert not run.candidates.filter(parent=best[0]).exists()
    with pytest.raises(UserError, match="rejected by now"):
        runs.reject(best[0])
    runs.restore(best[0])
    assert best[0].state == "active"


def test_a_winner_ends_the_run_and_can_be_taken_back(run: Run) -> None:
    come(run, 2)
    growing.grow()
    one = run.candidates.filter(state=ACTIVE)[0]
    runs.crown(run, one)
    assert (run.state, run.winner) == ("done", one)
    assert not run.candidates.filter(state=PENDING).exists()
    assert growing.grow() == 0
    with pytest.raises(UserError, match="winner"):
        runs.reject(one)
    runs.uncrown(run)
    assert come(run) == 2


def test_more_of_a_step_is_drawn_where_none_is_good_enough(cast: Cast, run: Run) -> None:
    come(run)
    drafts, finished = run.version.steps.all()
    run.candidates.update(state=Candidate.State.REJECTED)
    page = cast.clients["rui"].get(f"/s/studio/runs/{run.pk}/").content.decode()
    assert "None is left. Draw" in page
    act = f"/s/studio/runs/{run.pk}/act/"
    for count in ("0", "100"):
        assert cast.clients["rui"].post(act, {"do": "more", "step": drafts.pk, "count": count}).status_code == 400
    assert cast.clients["rui"].post(act, {"do": "more", "step": drafts.pk, "count": "2"}).status_code == 302
    assert come(run) == 2
    assert run.candidates.filter(step=drafts, state=Candidate.State.ACTIVE).count() == 2
    opened(run, drafts, 1)
    come(run)
    there = run.candidates.filter(step=finished).count()
    with pytest.raises(UserError, match="gone on already"):
        runs.draw_more(run, drafts, 1)
    told = {"do": "more", "step": finished.pk, "count": 1}
    answer = cast.clients["rui"].post(f"/api/spaces/studio/runs/{run.pk}", told, content_type="application/json")
    assert (answer.status_code, answer.json()["stages"][1]["expected"]) == (200, there + 1)
    come(run)
    assert run.candidates.filter(step=finished).count() == there + 1
    runs.crown(run, run.candidates.filter(step=finished)[0])
    with pytest.raises(UserError, match="is done"):
        runs.draw_more(run, finished, 1)


def test_a_stopped_run_draws_nothing_until_it_goes_on(run: Run) -> None:
    growing.grow()
    runs.stop(run)
    assert growing.grow() == 0
    assert set(jobs.Job.objects.filter(kind="candidate").values_list("state", flat=True)) == {"cancelled"}
    with pytest.raises(UserError, match="stopped by now"):
        runs.stop(run)
    runs.go_on(run)
    assert come(run) == 4


def test_steps_that_ran_stay_as_they_were(run: Run, two: Pipeline) -> None:
    first = keeping.newest(two)
    assert keeping.change(two, "Two steps", "", TWO, None) == first
    changed = keeping.change(two, "Other", "", TWO[:1], None)
    assert changed.number == 2
    assert keeping.steps_of(first) == TWO
    assert keeping.change(two, "Other", "", TWO, None) == changed, "nothing ran with it yet"
    assert come(run) == 4
    copied = keeping.copy(two, None)
    assert (copied.name, keeping.steps_of(keeping.newest(copied))) == ("Two steps (copy)", TWO)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([], "1 to 6 steps"),
        ([StepIn(name="a", engine="none")], "no engine called"),
        ([StepIn(name="a", template={"steps": 0})], "steps cannot be 0"),
        ([StepIn(name="a", template={"colour": 1})], "colour cannot be"),
        ([StepIn(name="a", template={"prompt": "{{parent_prompt}}"})], "no picture before it"),
        ([StepIn(name="a", template={"prompt": "{{A b}}"})], "is no variable"),
        ([StepIn(name="a", template={"looks": True})], "no picture before it to look at"),
    ],
)
def test_steps_that_cannot_be_are_refused(cast: Cast, steps: list[StepIn], said: str) -> None:
    with pytest.raises(UserError, match=said):
        keeping.make(cast.space, "Bad", "", steps, None)
    assert not Pipeline.objects.exists()


@pytest.mark.parametrize(
    "template", [{"model": "none"}, {"seed": "{{prompt}}"}, {"width": 33}, {"prompt": "{{place}}"}]
)
def test_a_run_that_cannot_be_drawn_is_refused_at_once(cast: Cast, two: Pipeline, template: dict[str, object]) -> None:
    bad = keeping.make(cast.space, "Bad", "", [StepIn(name="a", template=SMALL | template)], None)
    with pytest.raises(UserError):
        runs.start(bad, cast.ada, "", {"prompt": "in a park"}, None)
    assert not Run.objects.exists()


def test_variables_are_filled_and_those_unknown_are_named() -> None:
    assert checked(["{{trigger}}, {{ prompt }} in {{place}}", "{{place}}"], first=True) == ["prompt", "place"]
    assert filled("{{a}} and {{ b }}", {"a": 1, "b": "{{a}}"}) == "1 and {{a}}"
    with pytest.raises(UserError, match="c}} stands for nothing"):
        filled("{{c}}", {})


def test_the_page_looks_again_until_the_last_picture_is_there(cast: Cast, run: Run) -> None:
    page = f"/s/studio/runs/{run.pk}/"
    looks = []
    for _ in range(5):
        growing.grow()
        looks.append("hx-trigger" in cast.clients["vic"].get(page).content.decode())
        come_one(run)
    assert looks == [True, True, True, True, False]


def come_one(run: Run) -> None:
    """The next picture that was asked for arrives, and nothing more is asked for."""
    pending = run.candidates.filter(state=PENDING).order_by("pk").first()
    if pending is not None:
        growing.arrived(pending, drawn(pending))


@pytest.fixture
def engine(cast: Cast) -> Iterator[EngineProcess]:
    making.engine.cache_clear()
    with making.engine() as process:
        yield process
    making.engine.cache_clear()


def test_the_real_engine_draws_a_run_and_a_second_try_changes_nothing(run: Run, engine: EngineProcess) -> None:
    growing.grow()
    for _ in range(10):
        pending = run.candidates.filter(state=PENDING).order_by("pk").first()
        if pending is None:
            break
        tasks.draw(Told(), pending.pk)
        tasks.draw(Told(), pending.pk)
    found = list(run.candidates.select_related("made"))
    assert [each.state for each in found] == ["active"] * 4
    assert len({each.made.sha256 for each in found if each.made}) == 4
    assert {each.made.said_recipe.prompt for each in found if each.made} == {f"{run.persona.trigger}, in a park"}
