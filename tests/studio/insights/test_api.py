"""What came of posts, as programs read it and act on it."""

from datetime import timedelta

from django.utils import timezone

from tests.studio.conftest import Cast
from tests.studio.insights.cases import went_out
from tests.studio.insights.test_learnings import history
from tests.studio.insights.test_training import lora, winner, workspace
from tests.studio.test_pipelines import two
from zoetrope.studio.insights import learnings
from zoetrope.studio.insights.models import Proposal
from zoetrope.studio.loras.models import Lora
from zoetrope.studio.pipelines.models import Pipeline
from zoetrope.wheel.workspace import Workspace

__all__ = ["lora", "two", "workspace"]
HOUR = timedelta(hours=1)
AT = "/api/spaces/studio/personas/ada/insights"


def test_programs_read_and_type_in_numbers(cast: Cast) -> None:
    post = went_out(cast, timezone.now() - 80 * HOUR)
    at = f"/api/spaces/studio/posts/{post.pk}/numbers"
    assert cast.clients["vic"].get(at).json() == []
    said = {"age": 24, "reach": 100, "total_interactions": 3}
    head = {"Authorization": f"Bearer {cast.token('rui')}"}
    told = cast.clients["nobody"].post(at, said, content_type="application/json", headers=head).json()
    assert (told["rate"], told["likes"], told["source"]) == (0.03, None, "hand")
    assert [each["age"] for each in cast.clients["vic"].get(at).json()] == [24]
    assert cast.clients["nobody"].delete(f"{at}/24", headers=head).status_code == 204
    assert cast.clients["nobody"].delete(f"{at}/5", headers=head).status_code == 400
    assert cast.clients["sam"].get(at).status_code == 404


def test_programs_read_what_is_known_and_act_on_what_was_learned(cast: Cast) -> None:
    history(cast, seed=3, lift=3.0)
    learnings.look(cast.ada)
    told = cast.clients["vic"].get(AT).json()
    assert (told["posts"], told["measured"], told["agreement"]["value"]) == (60, 60, None)
    [beach] = [each for each in told["parts"] if each["label"] == "Beach"]
    assert beach["audience"]["low"] < beach["audience"]["mean"] < beach["audience"]["high"]
    assert (beach["taste"]["posts"], beach["taste"]["mean"]) == (0, None)
    [learning] = cast.clients["vic"].get(f"{AT}/learnings").json()
    assert [each["asked"] for each in cast.clients["vic"].get(f"{AT}/looks").json()] == [4]
    heads = {who: {"Authorization": f"Bearer {cast.token(who)}"} for who in ("olga", "rui")}
    act = f"{AT}/learnings/{learning['id']}"
    for who, status in (("rui", 403), ("olga", 200)):
        answer = cast.clients["nobody"].post(
            act, {"do": "approve"}, content_type="application/json", headers=heads[who]
        )
        assert answer.status_code == status
    assert (answer.json()["state"], answer.json()["by"]) == ("approved", "olga")
    assert cast.clients["vic"].get(f"{AT}/learnings?state=proposed").json() == []


def test_programs_take_winners_in(cast: Cast, two: Pipeline, lora: Lora, workspace: Workspace) -> None:
    kept = winner(cast, two, lora, 1)
    proposal = Proposal.objects.create(persona=cast.ada, made=kept.made, kept=kept, lora="ada v1")
    head = {"Authorization": f"Bearer {cast.token('rui')}"}
    program, kind = cast.clients["nobody"], "application/json"
    assert program.post(f"{AT}/training", {}, content_type=kind, headers=head).status_code == 202
    [row] = cast.clients["vic"].get(f"{AT}/training").json()
    assert (row["sha256"], row["taste"], row["state"]) == (kept.made.sha256, None, "proposed")
    where, do = f"{AT}/training/{proposal.pk}", {"do": "accept"}
    taken = program.post(where, do, content_type=kind, headers=head).json()
    assert (taken["state"], taken["round"], kept.made.sha256 in workspace.state().pictures) == ("accepted", 1, True)
    assert cast.clients["sam"].get(f"{AT}/training").status_code == 404
