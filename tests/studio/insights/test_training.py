"""Winners come back to the wheel: proposed once, taken in by a person, given back until a version learned from them."""

from io import BytesIO
from pathlib import Path

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
from zoetrope.studio.insights import tasks, training
from zoetrope.studio.insights.models import Proposal
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.library.models import Kept
from zoetrope.studio.loras.models import Lora
from zoetrope.studio.making.store import path_of
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.studio.pipelines.models import Pipeline
from zoetrope.studio.workshop.tasks import KIND as TURN
from zoetrope.wheel import events as ev
from zoetrope.wheel.intake import Found, take_in
from zoetrope.wheel.review import reject
from zoetrope.wheel.state import Decision
from zoetrope.wheel.teach import SYNTHETIC_SHARE, chosen_entries
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


def test_accepted_it_is_a_source_of_the_next_turn_and_comes_back_out(
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
    assert (entry.origin, entry.decision) == (ev.Origin.source, Decision.kept)
    assert entry.caption == "ada, a drawing of someone at sea"
    assert entry.file == f"sources/winner-{kept.made.sha256[:12]}.png"
    assert workspace.path(entry).read_bytes() == path_of(kept.made.sha256).read_bytes()
    assert gate(workspace, workspace.state()) == "", "nobody has to look at it again"
    assert entry in chosen_entries(workspace.state())
    page = cast.clients["vic"].get(f"{AT}?state=accepted").content.decode()
    assert "for round 1" in page
    assert act(cast.clients["rui"], proposal, "accept") == 400, "once"
    assert act(cast.clients["rui"], proposal, "take-back") == 302
    proposal.refresh_from_db()
    assert (proposal.state, proposal.round) == (State.PROPOSED, None)
    assert workspace.state() == before
    assert act(cast.clients["rui"], proposal, "accept") == 302, "and in again"
    assert workspace.state().pictures[kept.made.sha256].decision == Decision.kept


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


def test_no_more_are_taken_in_than_the_share_of_all_sources(
    cast: Cast, two: Pipeline, lora: Lora, workspace: Workspace
) -> None:
    kept = [winner(cast, two, lora, seed) for seed in range(3)]
    proposals = [Proposal.objects.create(persona=cast.ada, made=each.made, kept=each, lora="ada v1") for each in kept]
    assert training.room(cast.ada, workspace.state()) == 2, "two of ten are a fifth"
    for each in proposals[:2]:
        training.accept(each, cast.user("rui"))
    with pytest.raises(UserError, match="at most 20%"):
        training.accept(proposals[2], cast.user("rui"))
    assert "room for none just now" in cast.clients["vic"].get(AT).content.decode()
    entry = workspace.state().pictures[kept[0].made.sha256]
    reject(workspace, [entry], ev.Reason.other, "rui")
    assert training.room(cast.ada, workspace.state()) == 1, "what was refused after all makes room"


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

    def full(path: Path, *_: object, **__: object) -> None:
        raise UserError("The disk is full.")

    monkeypatch.setattr("zoetrope.studio.insights.training.take_in", full)
    assert act(cast.clients["rui"], proposal, "accept") == 400
    proposal.refresh_from_db()
    assert (proposal.state, kept.made.sha256 in workspace.state().pictures) == (State.PROPOSED, False)


def test_it_was_taken_out_in_the_workshop_meanwhile(
    cast: Cast, two: Pipeline, lora: Lora, workspace: Workspace
) -> None:
    kept = winner(cast, two, lora, 1)
    proposal = Proposal.objects.create(persona=cast.ada, made=kept.made, kept=kept, lora="ada v1")
    training.accept(proposal, cast.user("rui"))
    workspace.undo()
    workspace.undo()
    before = workspace.state()
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
    Job.objects.update(state=jobs.State.DONE)
    assert cast.clients["rui"].post(AT).status_code == 302
    assert Job.objects.filter(kind=tasks.PICK).count() == 2
