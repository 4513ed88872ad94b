"""Personas in the studio: made with consent, mirrored from their workspaces, kept apart by spaces."""

import json
import shutil
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.studio.conftest import Cast
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.workspaces import strays, workspace_of
from zoetrope.studio.spaces.work import scope_of
from zoetrope.wheel.persona import make_persona
from zoetrope.wheel.workspace import new_workspace, personas_folder

MIA = {"title": "Mia Mohn", "name": "", "kind": "drawn", "consent": "fictional", "base": "nano-flux", "trigger": ""}


def test_a_persona_begins_with_its_workspace(cast: Cast) -> None:
    done = cast.clients["olga"].post("/s/studio/new-persona/", MIA)
    assert done.headers["Location"] == "/s/studio/p/mia-mohn/"
    mia = Persona.objects.get(name="mia-mohn")
    assert workspace_of(mia).persona.consent.kind == mia.consent["kind"] == "fictional"
    assert b"Mia Mohn" in cast.clients["vic"].get("/s/studio/").content


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"consent": ""}, "This field is required"),
        ({"consent": "granted"}, "A granted consent is a signed document"),
        ({"name": "ada"}, "has a persona called ada already"),
        ({"name": "Mia Mohn"}, "Use small letters, digits"),
        ({"title": "Mia", "trigger": "a, b"}, "cannot be a trigger"),
        ({"document": b"%PDF signed"}, "no other has one"),
    ],
)
def test_what_cannot_be_is_told_and_leaves_nothing(cast: Cast, said: dict[str, Any], sentence: str) -> None:
    if "document" in said:
        said = said | {"document": SimpleUploadedFile("signed.pdf", said["document"])}
    before = sorted(personas_folder().iterdir())
    page = cast.clients["olga"].post("/s/studio/new-persona/", MIA | said)
    assert (page.status_code, sentence in page.content.decode()) == (422, True)
    assert sorted(personas_folder().iterdir()) == before


@pytest.mark.parametrize(
    ("title", "name"), [("日本", "persona"), ("W" * 80, "w" * 48), ("a _ b", "a-b"), ("Ünal Öz", "unal-oz")]
)
def test_a_short_name_is_made_of_any_name(cast: Cast, title: str, name: str) -> None:
    assert cast.clients["olga"].post("/s/studio/new-persona/", MIA | {"title": title}).status_code == 302
    assert Persona.objects.get(title=title).name == name


def test_names_without_plain_letters_are_numbered(cast: Cast) -> None:
    for title in ("日本", "中国"):
        cast.clients["olga"].post("/s/studio/new-persona/", MIA | {"title": title})
    assert sorted(Persona.objects.exclude(name="ada").values_list("name", flat=True)) == ["persona", "persona-2"]


def test_a_consent_may_have_a_long_name_but_not_be_empty(cast: Cast) -> None:
    olga, said = cast.clients["olga"], MIA | {"consent": "granted", "name": "mia"}
    document = SimpleUploadedFile("é" * 200 + ".pdf", b"%PDF signed")
    assert olga.post("/s/studio/new-persona/", said | {"document": document}).status_code == 302
    assert Persona.objects.get(name="mia").consent["document"] == "consent/" + "é" * 90 + ".pdf"
    empty = said | {"name": "bo", "document": SimpleUploadedFile("e.pdf", b""), "trigger": "bo"}
    refused = olga.post("/api/spaces/studio/granted-personas", empty)
    assert (refused.status_code, "is empty" in refused.json()["detail"]) == (400, True)
    with_document = empty | {"consent": "fictional", "document": SimpleUploadedFile("e.pdf", b"signed")}
    assert olga.post("/api/spaces/studio/granted-personas", with_document).status_code == 400
    strange = empty | {"document": SimpleUploadedFile("e.pdf", b"signed"), "titel": "Bo"}
    assert "titel" in olga.post("/api/spaces/studio/granted-personas", strange).content.decode()


def test_a_persona_without_its_folder_is_told_of_and_taken_out(cast: Cast) -> None:
    olga, folder = cast.clients["olga"], workspace_of(cast.ada).folder
    shutil.rmtree(folder)
    for address in ("/s/studio/p/ada/", "/s/studio/p/ada/sources/", "/api/spaces/studio/personas/ada/standing"):
        lost = olga.get(address)
        assert (lost.status_code, str(folder) in lost.content.decode()) == (400, False)
        assert "is gone: put ada back" in lost.content.decode()
    assert "/s/studio/p/ada/take-out/" in olga.get("/s/studio/").content.decode()
    assert "take-out" not in cast.clients["vic"].get("/s/studio/").content.decode()
    assert "is gone from the data folder" in olga.get("/s/studio/p/ada/take-out/").content.decode()
    done = olga.post("/s/studio/p/ada/take-out/", follow=True).content.decode()
    assert "Ada has left Studio." in done
    assert not Persona.objects.exists()
    assert olga.post("/s/studio/new-persona/", MIA | {"title": "Ada"}).status_code == 302


def test_of_a_persona_that_is_taken_out_every_file_stays(cast: Cast) -> None:
    olga, folder = cast.clients["olga"], workspace_of(cast.ada).folder
    before = sorted(folder.rglob("*"))
    done = olga.post("/s/studio/p/ada/take-out/", follow=True).content.decode()
    assert "Its files stay in the data folder, in personas/ada" in done
    assert (sorted(folder.rglob("*")), strays()) == (before, ["ada"])
    # Its name is free, though its folder is not, and none of both is in the way of the other.
    for kept in ("studio--ada", "studio--ada-2"):
        olga.post("/s/studio/new-persona/", MIA | {"title": "Ada"})
        assert olga.delete("/api/spaces/studio/personas/ada").json() == {"folder": kept}
    olga.post("/s/studio/adopt/", {"folder": "ada"})
    assert Persona.objects.get().folder == "ada"


def test_a_persona_that_is_worked_at_stays(cast: Cast) -> None:
    scope = scope_of(cast.space)
    turn = jobs.enqueue("turn", "turn-1", {"persona": cast.ada.pk}, scope=scope, title="A turn")
    refused = cast.clients["olga"].delete("/api/spaces/studio/personas/ada")
    assert (refused.status_code, "waits or runs" in refused.json()["detail"]) == (400, True)
    jobs.cancel(turn)
    assert cast.clients["olga"].delete("/api/spaces/studio/personas/ada").status_code == 200


def test_a_granted_consent_keeps_its_document(cast: Cast) -> None:
    document = SimpleUploadedFile("../../signed.pdf", b"%PDF signed")
    cast.clients["olga"].post("/s/studio/new-persona/", MIA | {"consent": "granted", "document": document})
    mia = Persona.objects.get(name="mia-mohn")
    assert mia.consent["document"] == "consent/signed.pdf"
    sent = cast.clients["olga"].get("/s/studio/p/mia-mohn/consent/")
    assert b"".join(sent.streaming_content) == b"%PDF signed"  # type: ignore[attr-defined]


def test_two_spaces_may_each_have_an_ada(cast: Cast) -> None:
    done = cast.clients["sam"].post("/s/elsewhere/new-persona/", MIA | {"title": "Ada"})
    assert done.headers["Location"] == "/s/elsewhere/p/ada/"
    assert sorted(Persona.objects.values_list("folder", flat=True)) == ["ada", "elsewhere--ada"]


def test_a_workspace_of_the_command_line_is_taken_in(cast: Cast) -> None:
    told = make_persona(name="bo", kind="drawn", trigger="bo", base="nano-flux", consent={"kind": "self"})
    new_workspace(personas_folder() / "bo", told)
    assert strays() == ["bo"]
    assert b"Take it in" in cast.clients["olga"].get("/s/studio/").content
    cast.clients["olga"].post("/s/studio/adopt/", {"folder": "bo"})
    assert (strays(), Persona.objects.get(name="bo").consent) == ([], {"kind": "self"})
    told_again = cast.clients["olga"].post("/s/studio/adopt/", {"folder": "../bo"})
    assert told_again.status_code == 400


def test_what_the_command_line_changes_is_seen(cast: Cast) -> None:
    workspace_of(cast.ada).change(trigger="zoeada")
    assert b"zoeada" in cast.clients["vic"].get("/s/studio/p/ada/").content


def test_voice_and_drawing_are_kept(cast: Cast) -> None:
    olga = cast.clients["olga"]
    voice = {"form": "voice", "tone": "playful", "emoji": "none", "topics": "sea\n\n ships ", "examples": ""}
    assert olga.post("/s/studio/p/ada/settings/", voice).status_code == 302
    assert olga.post("/s/studio/p/ada/settings/", {"form": "drawing", "steps": "30"}).status_code == 302
    ada = Persona.objects.get(name="ada")
    assert (ada.said_voice.topics, ada.said_drawing.steps) == (["sea", "ships"], 30)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"form": "voice", "tone": "edgy", "emoji": "low", "examples": "a\nb\nc\nd"}, "These are 4 lines: 3 are"),
        ({"form": "drawing", "steps": "7", "width": "33", "height": "33"}, "choose a multiple of "),
    ],
)
def test_settings_that_cannot_be_are_told_beside_the_form(cast: Cast, said: dict[str, str], sentence: str) -> None:
    page = cast.clients["olga"].post("/s/studio/p/ada/settings/", said)
    assert (page.status_code, sentence in page.content.decode()) == (422, True)
    assert "Settings of Ada" in page.content.decode(), "what was filled in stays in view"
    ada = Persona.objects.get(name="ada")
    assert (ada.voice, ada.drawing) == ({}, {})


def test_what_a_program_leaves_away_stays(cast: Cast) -> None:
    olga, ada = cast.clients["olga"], "/api/spaces/studio/personas/ada"
    first = {"drawing": {"width": 512, "steps": 9, "negative_prompt": "blurred"}, "voice": {"topics": ["the sea"]}}
    assert olga.patch(ada, first, "application/json").status_code == 200
    second = {"drawing": {"steps": 5, "width": None}, "voice": {"tone": "edgy"}}
    told = olga.patch(ada, second, "application/json").json()
    drawing = {key: told["drawing"][key] for key in ("steps", "width", "negative_prompt")}
    assert drawing == {"steps": 5, "width": None, "negative_prompt": "blurred"}
    assert (told["voice"]["tone"], told["voice"]["topics"]) == ("edgy", ["the sea"])
    for wrong in ({"titel": "Ada"}, {"drawing": {"step": 5}}):
        assert olga.patch(ada, wrong, "application/json").status_code == 422
    assert olga.patch(ada, {"drawing": {"width": 33}}, "application/json").status_code == 400
    said = {"name": "bo", "title": "Bo", "kind": "drawn", "base": "nano-flux", "consent": "fictional", "look": "tall"}
    assert olga.post("/api/spaces/studio/personas", said, "application/json").status_code == 422


def test_names_with_html_in_them_are_only_text(cast: Cast) -> None:
    evil = "<script>alert(1)</script>"
    cast.clients["olga"].post("/s/studio/new-persona/", MIA | {"title": evil, "name": "evil"})
    assert evil not in cast.clients["vic"].get("/s/studio/p/evil/").content.decode()
    assert evil not in cast.clients["vic"].get("/s/studio/").content.decode()


def test_the_api_does_the_same(cast: Cast) -> None:
    headers = {"Authorization": f"Bearer {cast.token('olga')}"}
    olga = cast.clients["nobody"]
    said = {"name": "mia", "title": "Mia", "kind": "drawn", "base": "nano-flux", "consent": "fictional"}
    made = olga.post("/api/spaces/studio/personas", json.dumps(said), "application/json", headers=headers)
    assert (made.status_code, made.json()["trigger"]) == (201, "mia")
    change = {"about": "Lives by the sea", "voice": {"tone": "edgy"}}
    changed = olga.patch("/api/spaces/studio/personas/mia", json.dumps(change), "application/json", headers=headers)
    assert (changed.json()["about"], changed.json()["voice"]["tone"]) == ("Lives by the sea", "edgy")
    again = olga.post("/api/spaces/studio/personas", json.dumps(said), "application/json", headers=headers)
    assert (again.status_code, "already" in again.json()["detail"]) == (400, True)
