"""Personas in the studio: made with consent, mirrored from their workspaces, kept apart by spaces."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.studio.conftest import Cast
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.workspaces import strays, workspace_of
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
        ({"title": "Mia", "trigger": "a, b"}, "cannot be a trigger"),
    ],
)
def test_what_cannot_be_is_told_and_leaves_nothing(cast: Cast, said: dict[str, str], sentence: str) -> None:
    before = sorted(personas_folder().iterdir())
    page = cast.clients["olga"].post("/s/studio/new-persona/", MIA | said)
    assert (page.status_code, sentence in page.content.decode()) == (422, True)
    assert sorted(personas_folder().iterdir()) == before


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
    too_many = voice | {"examples": "a\nb\nc\nd"}
    assert olga.post("/s/studio/p/ada/settings/", too_many).status_code == 400


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
