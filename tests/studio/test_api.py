"""The JSON API: a program does what a person does on the pages, by the same functions."""

import json
from typing import Any, get_args

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pydantic import BaseModel

from tests.studio.conftest import Cast
from tests.wheel.cast import picture
from zoetrope.media.hashing import hash_bytes
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.studio.spaces.models import ApiToken, Membership
from zoetrope.wheel import events as ev
from zoetrope.wheel.persona import make_persona
from zoetrope.wheel.workspace import new_workspace, personas_folder

ADA = "/api/spaces/studio/personas/ada"


class Program:
    """A script with a token."""

    def __init__(self, cast: Cast, who: str) -> None:
        self._client = Client(headers={"Authorization": f"Bearer {cast.token(who)}"})

    def __call__(self, method: str, path: str, /, status: int = 200, **said: Any) -> Any:
        """What is answered, which has that status."""
        sent = json.dumps(said) if said or method != "GET" else ""
        return self._told(self._client.generic(method, path, sent, "application/json"), status)

    def upload(self, path: str, **files: Any) -> Any:
        return self._told(self._client.post(path, files), 201)

    def raw(self, method: str, path: str, body: str) -> int:
        return self._client.generic(method, path, body, "application/json").status_code

    def file(self, path: str) -> bytes:
        return bytes(self._client.get(path).getvalue())

    def _told(self, answer: Any, status: int) -> Any:
        assert answer.status_code == status, answer.content
        return answer.json() if answer.content else None


@pytest.fixture
def rui(cast: Cast) -> Program:
    return Program(cast, "rui")


@pytest.fixture
def olga(cast: Cast) -> Program:
    return Program(cast, "olga")


@pytest.fixture
def hashes(rui: Program) -> list[str]:
    """Two sources of Ada, the first with its words."""
    files = [("a.png", picture(1)), ("a.txt", b"portrait of ada"), ("b.png", picture(2))]
    taken = rui.upload(f"{ADA}/sources", files=[SimpleUploadedFile(*file) for file in files])
    assert taken == {"added": ["a.png", "b.png"], "known": []}
    return [hash_bytes(picture(seed)) for seed in (1, 2)]


def test_from_sources_to_a_turn(cast: Cast, rui: Program, olga: Program, hashes: list[str]) -> None:
    first, second = hashes
    listed = rui("GET", f"{ADA}/sources?most=1&start=1")
    assert (listed["total"], [each["sha256"] for each in listed["pictures"]]) == (2, [second])
    assert "no left profile yet" in listed["coverage"]["missing"]
    assert rui.file(f"{ADA}/pictures/{first}") == picture(1)
    words = rui("GET", f"{ADA}/captions")
    assert (words["pictures"][0]["sha256"], words["tags"]) == (second, {"portrait of ada": 1})
    assert words["remarks"] == ["1 of 2 pictures have no caption."]
    assert rui("GET", f"{ADA}/standing")["page"] == "captions"
    changed = rui("PUT", f"{ADA}/captions/{second}", text="  ada,\n\0\x1b sitting ")
    assert changed["caption"] == "ada, sitting"
    assert rui("GET", f"{ADA}/review")["left"] == 2
    assert rui("POST", f"{ADA}/review", do="keep", pictures=[first])["left"] == 1
    step = rui("POST", f"{ADA}/review", do="reject", pictures=[second], reason="hands")["step"]
    assert rui("POST", f"{ADA}/undo", step=step) == {"taken": 1, "kind": "rejected"}
    assert rui("POST", f"{ADA}/undo") == {"taken": 1, "kind": "kept"}
    rui("POST", f"{ADA}/review", do="keep", pictures=hashes)
    kept = [event.by for event in workspace_of(cast.ada).log.read() if isinstance(event, ev.Kept)]
    assert kept == ["rui", "rui", "rui"]
    assert olga("GET", f"{ADA}/turns")["waits_for"] == ""
    job = olga("POST", f"{ADA}/turns", status=202)
    assert job["state"] == "waiting"
    assert olga("GET", f"{ADA}/turns/last")["job"] == job


def test_one_correction_is_of_one_picture(rui: Program, hashes: list[str]) -> None:
    told = rui("POST", f"{ADA}/review", status=400, do="correct", pictures=hashes, instruction="longer hair")
    assert told["detail"] == "A correction is of one picture; nothing was recorded."
    rui("POST", f"{ADA}/review", do="correct", pictures=hashes[:1], instruction="longer hair")
    assert rui("GET", f"{ADA}/sources")["pictures"][0]["instruction"] == "longer hair"


def test_a_turn_is_watched_with_its_curve(cast: Cast, olga: Program) -> None:
    training = workspace_of(cast.ada).folder / "rounds" / "001" / "training"
    training.mkdir(parents=True)
    lines = ['{"step": 1, "loss": 0.5}', '{"step": 2, "loss": NaN}', '{"step": 3, "loss": 0.25}', '{"step": 4, "lo']
    (training / "samples").mkdir()
    (training / "samples" / "000002-0.png").write_bytes(picture(1))
    (training / "metrics.jsonl").write_text("\n".join(lines), encoding="utf-8")
    seen = olga("GET", f"{ADA}/turns/last")
    assert (seen["job"], seen["running"], seen["losses"]) == (None, False, [[1, 0.5], [3, 0.25]])
    assert seen["samples"] == [{"step": 2, "files": ["000002-0.png"]}]
    assert olga.file(f"{ADA}/turns/1/samples/000002-0.png") == picture(1)


def test_jobs_are_cancelled_and_tried_again(cast: Cast, olga: Program, hashes: list[str]) -> None:
    olga("PUT", f"{ADA}/captions/{hashes[1]}", text="ada")
    olga("POST", f"{ADA}/review", do="keep", pictures=hashes)
    job = olga("POST", f"{ADA}/turns", status=202)["id"]
    at = "/api/spaces/studio/jobs"
    seen = olga("GET", f"{at}?state=waiting")
    assert (seen["counts"]["waiting"], [row["id"] for row in seen["jobs"]["waiting"]]) == (1, [job])
    jobs.Job.objects.get(pk=job).lines.create(text="loss 0.1")
    assert [line["text"] for line in olga("GET", f"{at}/{job}")["lines"]] == ["loss 0.1"]
    assert olga("POST", f"{at}/{job}/cancel")["state"] == "cancelled"
    assert "nothing was changed" in olga("POST", f"{at}/{job}/cancel", status=400)["detail"]
    assert [row["state"] for row in olga("GET", f"{at}/changes?cursor={seen['cursor']}")["jobs"]] == ["cancelled"]
    workspace_of(cast.ada).record([ev.Undone(target=0)])
    other = olga("POST", f"{ADA}/turns", status=202)["id"]
    assert "cancel it first" in olga("POST", f"{at}/{job}/resubmit", status=400)["detail"]
    olga("POST", f"{at}/{other}/cancel")
    assert olga("POST", f"{at}/{job}/resubmit")["state"] == "waiting"


def test_cards_and_exports_are_read(cast: Cast, olga: Program) -> None:
    workspace = workspace_of(cast.ada)
    card = {"scores": {"diversity": 0.5}, "pictures": [{"scene": "front", "label": "Front"}]}
    for number in (0, 1):
        folder = workspace.folder / "rounds" / f"{number:03d}" / "card"
        folder.mkdir(parents=True)
        (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
        (folder / "front.png").write_bytes(picture(number))
    (workspace.folder / "exports").mkdir(exist_ok=True)
    (workspace.folder / "exports" / "ada_v1.safetensors").write_bytes(b"weights")
    workspace.record([ev.Exported(round=1, version=1, sha256="0" * 64), ev.Carded(round=1, scores={})])
    # A card whose folder is gone is left out.
    workspace.record([ev.Carded(round=2, scores={})])
    # One that is being drawn shows what there is of it.
    unfinished = workspace.folder / "rounds" / "003" / "card"
    unfinished.mkdir(parents=True)
    (unfinished / "front.png").write_bytes(picture(3))
    workspace.record([ev.Closed(round=2, verdict="done")])
    assert olga("GET", f"{ADA}/turns/last")["scenes"] == ["front"]
    assert olga.file(f"{ADA}/cards/3/front") == picture(3)
    seen = olga("GET", f"{ADA}/cards?left=0&right=1")
    assert [each["title"] for each in seen["cards"]] == ["the base", "v1"]
    meaning = "how different the pictures are from each other; more is better"
    assert seen["scores"] == [{"name": "diversity", "left": 0.5, "right": 0.5, "meaning": meaning}]
    assert olga.file(f"{ADA}/cards/1/{seen['scenes'][0]['name']}") == picture(1)
    export = olga("GET", f"{ADA}/exports")[0]
    assert (export["size"], export["files"]) == (7, ["ada_v1.safetensors", "ada_v1.json"])
    assert olga.file(f"{ADA}/exports/ada_v1.safetensors") == b"weights"
    olga("GET", f"{ADA}/exports/ada_v1.json", status=404)


def test_members_come_change_and_go(cast: Cast, olga: Program) -> None:
    at = "/api/spaces/studio/members"
    assert olga("PATCH", f"{at}/vic", role="reviewer") == {"name": "vic", "role": "reviewer"}
    olga("DELETE", f"{at}/vic", status=204)
    assert [each["name"] for each in olga("GET", at)] == ["olga", "rui"]
    assert "needs an owner" in olga("DELETE", f"{at}/olga", status=400)["detail"]
    olga("PATCH", f"{at}/sam", status=404, role="viewer")
    page = cast.clients["olga"]
    link = page.post("/api/spaces/studio/invitations", {"role": "owner"}, "application/json").json()["link"]
    assert cast.clients["sam"].post(link.removeprefix("http://testserver")).status_code == 302
    assert Membership.objects.get(user__username="sam", space=cast.space).get_role_display() == "Owner"


def test_tokens_are_made_listed_and_ended(cast: Cast) -> None:
    vic, at = cast.clients["vic"], "/api/spaces/studio/tokens"
    made = vic.post(at, {"name": "script"}, "application/json").json()
    listed = vic.get(at).json()
    assert [(each["name"], each["acts_as"]) for each in listed] == [("script", "vic")]
    assert made["secret"] not in json.dumps(listed)
    assert vic.delete(f"{at}/{listed[0]['id']}").status_code == 204
    assert ApiToken.find(made["secret"]) is None


def test_personas_are_taken_in_or_begun_with_their_consent(olga: Program) -> None:
    told = make_persona(name="bo", kind="drawn", trigger="bo", base="nano-flux", consent={"kind": "self"})
    new_workspace(personas_folder() / "bo", told)
    assert olga("GET", "/api/spaces/studio/strays") == ["bo"]
    assert olga("POST", "/api/spaces/studio/strays", status=201, folder="bo")["title"] == "Bo"
    said = {"name": "mia", "title": "Mia", "kind": "photoreal", "base": "nano-flux", "consent": "granted"}
    assert "add its file" in olga("POST", "/api/spaces/studio/personas", status=400, **said)["detail"]
    document = SimpleUploadedFile("../signed.pdf", b"%PDF signed")
    olga.upload("/api/spaces/studio/granted-personas", **said, document=document)
    assert olga.file("/api/spaces/studio/personas/mia/consent") == b"%PDF signed"


def test_who_may_not_is_told_so(cast: Cast) -> None:
    vic = Program(cast, "vic")
    told = vic("POST", f"{ADA}/undo", status=403)
    assert told == {"detail": "This takes the role reviewer in Studio."}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", ADA, '{"drawing": {"true_guidance": NaN}}'),
        ("PATCH", ADA, '{"title": ""}'),
        ("PATCH", ADA, '{"title": "a\\u0000b"}'),
        ("PATCH", ADA, json.dumps({"about": "x" * 2001})),
        ("PATCH", ADA, '{"title": "\\ud800"}'),
        ("PATCH", ADA, "[" * 100_000),
        ("PATCH", ADA, '{"about": {"a": '),
        ("POST", f"{ADA}/undo", '{"step": 1e400}'),
        ("POST", f"{ADA}/undo", '{"stop": 1}'),
        ("POST", f"{ADA}/review", '{"do": "keep", "pictures": []}'),
        ("POST", "/api/spaces/studio/personas", "null"),
    ],
)
def test_what_makes_no_sense_is_refused(olga: Program, method: str, path: str, body: str) -> None:
    assert olga.raw(method, path, body) in (400, 422)


def test_a_workspace_that_is_gone_is_told(cast: Cast, olga: Program) -> None:
    workspace_of(cast.ada).folder.rename(personas_folder() / "elsewhere")
    assert "is gone: put ada back" in olga("GET", f"{ADA}/sources", status=400)["detail"]


def test_every_body_has_a_name_of_its_own() -> None:
    """Of two that are called the same, programs would be told one for both."""
    from zoetrope.studio.api import api

    named: dict[str, set[type]] = {}
    for _, router in api._routers:
        for view in router.path_operations.values():
            for operation in view.operations:
                for model in operation.models:
                    _gather(model, named)
    assert len(named) > 50
    assert {name: found for name, found in named.items() if len(found) > 1} == {}


def _gather(model: Any, named: dict[str, set[type]]) -> None:
    for part in [model, *get_args(model)]:
        if isinstance(part, type) and issubclass(part, BaseModel) and part not in named.get(part.__name__, set()):
            if not part.__name__.endswith(("Params", "Schema")):
                named.setdefault(part.__name__, set()).add(part)
            for field in part.model_fields.values():
                _gather(field.annotation, named)
        elif get_args(part) and part is not model:
            _gather(part, named)
