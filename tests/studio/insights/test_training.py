"""Winners come back to the wheel as synthetic pictures: taken in by a person, given back until they were learned."""

from io import BytesIO

import pytest
from django.test import Client
from PIL import Image

from tests.studio.conftest import Cast, Told
from tests.studio.insights.cases import drawn_by, lora_of, posted, won
from tests.studio.test_library import painted
from tests.studio.test_pipelines import two
from zoetrope.errors import UserError
from zoetrope.media.files import write_atomic
from zoetrope.media.hashing import hash_bytes
from zoetrope.media.recipe import Recipe
from zoetrope.studio.insights import tasks, training
from zoetrope.studio.insights.models import Proposal
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.library.models import Kept
from zoetrope.studio.loras.models import Lora
from zoetrope.studio.making.models import Made
from zoetrope.studio.making.store import path_of
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.studio.pipelines.models import Pipeline
from zoetrope.studio.workshop.tasks import KIND as TURN
from zoetrope.wheel import events as ev
from zoetrope.wheel.intake import Found, take_in
from zoetrope.wheel.measure import genuine
from zoetrope.wheel.state import Decision
from zoetrope.wheel.strays import find_strays
from zoetrope.wheel.teach import SYNTHETIC_SHARE, chosen_entries, repeats_of
from zoetrope.wheel.turn import gate
from zoetrope.wheel.workspace import Workspace

__all__ = ["two"]
AT = "/s/studio/p/ada/insights/training/"
State = Proposal.State


@pytest.fixture
def workspace(cast: Cast) -> Workspace:
    """With sources of people's own, all kept."""
    workspace = workspace_of(cast.ada)
    found = [Found(f"own-{seed}.png", data(painted(100 + seed)), f"ada, number {seed}") for seed in range(8)]
    take_in(workspace, found)
    workspace.record([ev.Kept(sha256=each.sha256, by="olga") for each in found])
    return workspace


@pytest.fixture
def lora(cast: Cast) -> Lora:
    return lora_of(cast)


def data(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def winner(
    cast: Cast,
    pipeline: Pipeline,
    lora: Lora,
    seed: int,
    utility: float | None = 1.0,
    prompt: str = "ada at sea",
    light: float = 1.0,
) -> Kept:
    """A drawn picture with its file, the winner of its run."""
    whole = data(painted(seed, light))
    write_atomic(path_of(hash_bytes(whole)), whole, durable=False)
    return won(cast, pipeline, drawn_by(cast, lora, hash_bytes(whole), prompt), utility)


def propose(cast: Cast) -> list[Kept]:
    """What is new, best first."""
    return [each.kept for each in training.propose(cast.ada) if each.kept]


def proposed(cast: Cast, kept: Kept) -> Proposal:
    """As a search would have left it."""
    return Proposal.objects.create(persona=cast.ada, made=kept.made, kept=kept, lora="ada v1")


def taken(cast: Cast, kept: Kept) -> Proposal:
    """One that Rui said yes to."""
    return training.accept(proposed(cast, kept), cast.user("rui"))


def act(client: Client, proposal: Proposal, do: str) -> int:
    return client.post(f"{AT}{proposal.pk}/act/", {"do": do}).status_code


def test_the_share_is_the_wheels() -> None:
    assert training.SHARE == SYNTHETIC_SHARE


def test_the_best_by_both_rewards_are_proposed_once(
    cast: Cast, two: Pipeline, lora: Lora, workspace: Workspace
) -> None:
    kept = [winner(cast, two, lora, seed, utility) for seed, utility in enumerate((0.0, 2.0, 1.0, None, None))]
    posted(cast, kept[0], 0.02)
    posted(cast, kept[3], 0.09)
    for place in (1, 2):
        posted(cast, kept[place], 0.05)
    # Of four posts 0.09 is the best, and not voted on is in the middle; of three with votes 2.0 is the best.
    assert propose(cast) == [kept[3], kept[1]]
    best = Proposal.objects.get(kept=kept[1])
    assert best.taste == pytest.approx(5 / 6)
    assert (best.audience, best.lora) == (0.5, "ada v1")
    unvoted = Proposal.objects.get(kept=kept[3])
    assert (unvoted.taste, unvoted.audience) == (None, 0.875), "what is not known is not zero"
    assert propose(cast) == []
    assert kept[4] not in [each.kept for each in training.winners(cast.ada)], "nothing is known of it"


def test_what_is_not_the_personas_own_is_not_proposed(
    cast: Cast, two: Pipeline, lora: Lora, workspace: Workspace
) -> None:
    strange = Lora.objects.create(
        space=cast.space,
        name="style",
        kind="style",
        base="tiny",
        family="flux",
        size=1,
        sha256="7" * 64,
        origin="upload",
    )
    aside, alien = winner(cast, two, lora, 1, 3.0), winner(cast, two, strange, 2, 3.0)
    good, worse = winner(cast, two, lora, 3, 2.0), winner(cast, two, lora, 4, 1.0)
    Kept.objects.filter(pk=aside.pk).update(aside=good.created)
    assert propose(cast) == [good]
    assert alien.pk != worse.pk


def test_near_duplicates_and_what_the_workspace_has_are_left_out(
    cast: Cast, two: Pipeline, lora: Lora, workspace: Workspace
) -> None:
    best, twin = winner(cast, two, lora, 1, 5.0), winner(cast, two, lora, 1, 4.0, light=0.93)
    winner(cast, two, lora, 100, 4.5, light=0.93)
    there, low = winner(cast, two, lora, 2, 3.0), winner(cast, two, lora, 3, -1.0)
    for place in range(4, 9):
        winner(cast, two, lora, place, -2.0)
    take_in(workspace, [Found("there.png", path_of(there.made.sha256).read_bytes(), "ada at sea")])
    found = propose(cast)
    assert best in found
    assert twin not in found
    assert there not in found
    assert len(found) == len({each.pk for each in found}) <= 3
    assert low not in found or low.run is not None
    assert {each.made.sha256 for each in found} & set(workspace.state().pictures) == set()


def test_accepted_it_is_what_a_turn_would_have_drawn_and_comes_back_out(
    cast: Cast, two: Pipeline, lora: Lora, workspace: Workspace
) -> None:
    kept = winner(cast, two, lora, 1, prompt="a drawing of someone\nat sea")
    winner(cast, two, lora, 2, 0.0)
    propose(cast)
    proposal, before = Proposal.objects.get(), workspace.state()
    assert act(cast.clients["vic"], proposal, "accept") == 403
    assert act(cast.clients["rui"], proposal, "accept") == 302
    proposal.refresh_from_db()
    assert (proposal.state, proposal.round, proposal.by) == (State.ACCEPTED, 1, cast.user("rui"))
    entry = workspace.state().pictures[kept.made.sha256]
    assert (entry.origin, entry.decision, entry.depth) == (ev.Origin.synthetic, Decision.kept, 1)
    assert entry.caption == "ada, a drawing of someone at sea"
    assert workspace.caption_path(entry).read_text() == entry.caption + "\n"
    path = workspace.path(entry)
    assert path.relative_to(workspace.folder).as_posix() == f"pictures/{entry.sha256[:2]}/{entry.sha256}.png"
    assert path.read_bytes() == path_of(kept.made.sha256).read_bytes()
    assert Recipe.from_json(path.with_suffix(".json").read_text()) == kept.made.said_recipe
    assert gate(workspace, workspace.state()) == "", "nobody has to look at it again"
    assert (find_strays(workspace), workspace.take_in_edits()) == ([], [])
    page = cast.clients["vic"].get(f"{AT}?state=accepted").content.decode()
    assert "for round 1" in page
    assert act(cast.clients["rui"], proposal, "accept") == 400, "once"
    assert act(cast.clients["rui"], proposal, "take-back") == 302
    proposal.refresh_from_db()
    assert (proposal.state, proposal.round) == (State.PROPOSED, None)
    assert workspace.state() == before
    assert act(cast.clients["rui"], proposal, "accept") == 302, "and in again"
    assert workspace.state().pictures[kept.made.sha256].decision == Decision.kept


def test_the_wheels_own_share_counts_it(cast: Cast, two: Pipeline, lora: Lora, workspace: Workspace) -> None:
    for seed in range(3):
        kept = winner(cast, two, lora, seed, prompt=f"ada, number {seed}")
        taken(cast, kept)
    entries = chosen_entries(workspace.state())
    shown = repeats_of(entries)
    made = [entry.sha256 for entry in entries if entry.origin is ev.Origin.synthetic]
    assert len(made) == 3
    # Eight sources twice each, and three of nineteen are not more than a fifth.
    assert sum(shown[each] for each in made) / sum(shown.values()) <= SYNTHETIC_SHARE
    assert {shown[entry.sha256] for entry in entries if entry.origin is ev.Origin.source} == {2}
    assert genuine(workspace.state()) == [entry for entry in entries if entry.sha256 not in made]


def test_it_is_a_generation_further_than_what_its_version_learned_from(
    cast: Cast, two: Pipeline, lora: Lora, workspace: Workspace
) -> None:
    second = lora_of(cast, 2)
    for number, version in ((1, lora), (2, second)):
        made = hash_bytes(f"turn {number}".encode())
        workspace.record(
            [
                ev.Exported(round=number, version=number, sha256=version.sha256),
                ev.Added(sha256=made, file=f"pictures/{made}", origin=ev.Origin.synthetic, depth=number, round=number),
                ev.Kept(sha256=made, by="rui"),
                ev.Closed(round=number, verdict="done"),
            ]
        )
    strange = Proposal(persona=cast.ada, lora_sha256="9" * 64)
    first, later = (Proposal(persona=cast.ada, lora_sha256=each.sha256) for each in (lora, second))
    state = workspace.state()
    assert training.generation(first, state) == (1, 1), "the first version saw the sources alone"
    assert training.generation(later, state) == (2, 2)
    assert training.generation(strange, state) == (3, 3), "of a stranger the worst is thought"


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"media": "clip"}, "This is a clip"),
        ({"persona": None}, "no picture of Ada&#x27;s own"),
        ({"recipe": None}, "Nobody knows how"),
    ],
)
def test_what_the_wheel_cannot_learn_from_is_refused(
    cast: Cast, two: Pipeline, lora: Lora, workspace: Workspace, changed: dict[str, object], sentence: str
) -> None:
    proposal = proposed(cast, winner(cast, two, lora, 1))
    Made.objects.filter(pk=proposal.made_id).update(**changed)
    before = workspace.log.read()
    refused = cast.clients["rui"].post(f"{AT}{proposal.pk}/act/", {"do": "accept"})
    assert (refused.status_code, sentence in refused.content.decode()) == (400, True)
    proposal.refresh_from_db()
    assert (proposal.state, workspace.log.read()) == (State.PROPOSED, before)


def test_nothing_is_learned_twice(cast: Cast, two: Pipeline, lora: Lora, workspace: Workspace) -> None:
    best, twin, there = (
        winner(cast, two, lora, 1),
        winner(cast, two, lora, 1, light=0.93),
        winner(cast, two, lora, 3),
    )
    take_in(workspace, [Found("there.png", path_of(there.made.sha256).read_bytes(), "ada at sea")])
    first = taken(cast, best)
    for kept, sentence in ((twin, "looks nearly the same"), (there, "has this picture already, waiting")):
        with pytest.raises(UserError, match=sentence):
            training.accept(proposed(cast, kept), cast.user("rui"))
    training.take_back(first, cast.user("rui"))
    training.accept(Proposal.objects.get(kept=twin), cast.user("rui"))
    assert [entry.sha256 for entry in workspace.state().of(Decision.kept)][8:] == [twin.made.sha256]


def test_nothing_like_what_was_declined_is_proposed(
    cast: Cast, two: Pipeline, lora: Lora, workspace: Workspace
) -> None:
    best = winner(cast, two, lora, 1, 5.0)
    training.decline(proposed(cast, best), cast.user("rui"))
    twin, other = winner(cast, two, lora, 1, 4.0, light=0.93), winner(cast, two, lora, 2, 3.0)
    for seed in range(4, 9):
        winner(cast, two, lora, seed, -1.0)
    found = propose(cast)
    assert (other in found, twin in found) == (True, False)


def test_a_prompt_that_names_the_persona_is_its_caption(
    cast: Cast, two: Pipeline, lora: Lora, workspace: Workspace
) -> None:
    proposal = Proposal.objects.create(
        persona=cast.ada, made=winner(cast, two, lora, 1, prompt="portrait of ADA").made, lora="ada v1"
    )
    assert training.caption_of(workspace, proposal) == "portrait of ADA"


def test_what_a_version_learned_from_stays(cast: Cast, two: Pipeline, lora: Lora, workspace: Workspace) -> None:
    kept = winner(cast, two, lora, 1)
    proposal = Proposal.objects.create(persona=cast.ada, made=kept.made, kept=kept, lora="ada v1")
    training.accept(proposal, cast.user("rui"))
    turn = jobs.enqueue(TURN, "turn-1", {"persona": cast.ada.pk}, scope="space:1")
    assert act(cast.clients["rui"], proposal, "take-back") == 400, "it may be learned from just now"
    jobs.cancel(turn)
    workspace.record([ev.Trained(round=1, dataset="d" * 64, lora="e" * 64)])
    assert act(cast.clients["rui"], proposal, "take-back") == 400
    proposal.refresh_from_db()
    assert (proposal.state, kept.made.sha256 in workspace.state().pictures) == (State.ACCEPTED, True)


def test_without_consent_nothing_is_learned_from(cast: Cast, two: Pipeline, lora: Lora, workspace: Workspace) -> None:
    kept = winner(cast, two, lora, 1)
    winner(cast, two, lora, 2, 0.0)
    proposal = Proposal.objects.create(persona=cast.ada, made=kept.made, kept=kept, lora="ada v1")
    type(cast.ada).objects.update(consent={})
    before = len(workspace.state().pictures)
    assert act(cast.clients["rui"], proposal, "accept") == 400
    assert propose(cast) == []
    assert cast.clients["rui"].post(AT).status_code == 400
    assert "No consent is recorded" in cast.clients["vic"].get(AT).content.decode()
    assert len(workspace.state().pictures) == before


def test_nothing_is_half_done_where_the_file_is_gone(
    cast: Cast, two: Pipeline, lora: Lora, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = winner(cast, two, lora, 1)
    proposal = Proposal.objects.create(persona=cast.ada, made=kept.made, kept=kept, lora="ada v1")
    file = path_of(kept.made.sha256)
    whole = file.read_bytes()
    file.unlink()
    assert act(cast.clients["rui"], proposal, "accept") == 400
    write_atomic(file, whole, durable=False)

    def full(*_: object) -> None:
        raise UserError("The disk is full.")

    monkeypatch.setattr(Workspace, "store", full)
    assert act(cast.clients["rui"], proposal, "accept") == 400
    proposal.refresh_from_db()
    assert (proposal.state, kept.made.sha256 in workspace.state().pictures) == (State.PROPOSED, False)


def test_it_was_taken_out_in_the_workshop_meanwhile(
    cast: Cast, two: Pipeline, lora: Lora, workspace: Workspace
) -> None:
    kept = winner(cast, two, lora, 1)
    proposal = Proposal.objects.create(persona=cast.ada, made=kept.made, kept=kept, lora="ada v1")
    training.accept(proposal, cast.user("rui"))
    assert len(workspace.undo()) == 3, "picture, words and decision are one step of the record"
    before = workspace.state()
    assert kept.made.sha256 not in before.pictures
    assert act(cast.clients["rui"], proposal, "take-back") == 302
    assert workspace.state() == before, "only what was about it is undone"


def test_declining_is_remembered_and_taken_back(cast: Cast, two: Pipeline, lora: Lora, workspace: Workspace) -> None:
    winner(cast, two, lora, 1)
    winner(cast, two, lora, 2, 0.0)
    propose(cast)
    proposal = Proposal.objects.get()
    assert act(cast.clients["rui"], proposal, "decline") == 302
    assert propose(cast) == []
    assert "No picture is proposed" in cast.clients["vic"].get(AT).content.decode()
    assert act(cast.clients["rui"], proposal, "take-back") == 302
    assert Proposal.objects.get().state == State.PROPOSED
    assert act(cast.clients["rui"], proposal, "else") == 400
    assert act(cast.clients["sam"], proposal, "accept") == 404


def test_looking_for_winners_is_one_job(cast: Cast, two: Pipeline, lora: Lora, workspace: Workspace) -> None:
    winner(cast, two, lora, 1)
    winner(cast, two, lora, 2, 0.0)
    assert cast.clients["vic"].post(AT).status_code == 403
    for _ in range(2):
        assert cast.clients["rui"].post(AT).status_code == 302
    [job] = jobs.Job.objects.filter(kind=tasks.PICK)
    page = cast.clients["rui"].get(AT).content.decode()
    assert "Waits for a worker" in page
    told = Told()
    tasks.pick(told, job.args["persona"])
    assert told.lines == ["1 proposed."]
    Job = jobs.Job
    for _ in range(2):
        Job.objects.update(state=jobs.State.DONE)
        assert cast.clients["rui"].post(AT).status_code == 302
    assert Job.objects.filter(kind=tasks.PICK).count() == 3
    # Those of two weeks ago are forgotten: their names would come again.
    Job.objects.filter(pk=job.pk).delete()
    Job.objects.update(state=jobs.State.DONE)
    assert cast.clients["rui"].post(AT).status_code == 302
    assert Job.objects.filter(kind=tasks.PICK, state=jobs.State.WAITING).count() == 1
