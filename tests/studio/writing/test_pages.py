"""The writer's page and API: who may set it, what it never tells, and what a try shows."""

import json
from typing import Any

import pytest
from django.test import Client

from tests.studio.conftest import Cast
from tests.studio.writing.briefs import brief, good
from tests.studio.writing.serving import ModelServer, Raw, captions
from zoetrope.errors import UserError
from zoetrope.studio.spaces.models import Membership, Role
from zoetrope.studio.writing import checks, keeping
from zoetrope.studio.writing.keeping import Said
from zoetrope.studio.writing.models import Edit, WriterSettings
from zoetrope.studio.writing.seam import Length
from zoetrope.studio.writing.writers.model import ModelWriter
from zoetrope.studio.writing.writers.template import TemplateWriter

KEY = "correct-horse-battery"
PAGE = "/s/studio/writer/"
TRY = f"{PAGE}try/"


def form(url: str, **said: Any) -> dict[str, Any]:
    return {"kind": "openai", "url": url, "model": "a-model", "key": KEY, "enabled": "on", "sees": "on"} | said


def test_without_settings_the_template_writes(cast: Cast) -> None:
    assert isinstance(keeping.writer_of(cast.space), TemplateWriter)
    page = cast.clients["vic"].get(PAGE).content.decode()
    assert "Works offline" in page
    assert "Write one caption" not in page
    assert "Settings" not in page
    assert not WriterSettings.objects.exists()


def test_each_does_what_their_role_allows(cast: Cast) -> None:
    told = {who: cast.clients[who].get(PAGE).status_code for who in cast.clients}
    assert told == {"olga": 200, "rui": 200, "vic": 200, "sam": 404, "nobody": 302}
    told = {who: cast.clients[who].post(PAGE, {"kind": "template"}).status_code for who in cast.clients}
    assert told == {"olga": 302, "rui": 403, "vic": 403, "sam": 404, "nobody": 302}
    told = {who: cast.clients[who].post(TRY, {"persona": "ada", "length": "short"}).status_code for who in cast.clients}
    assert told == {"olga": 200, "rui": 200, "vic": 403, "sam": 404, "nobody": 302}


def test_a_try_shows_who_wrote_it(cast: Cast) -> None:
    said = {"persona": "ada", "length": "medium", "says": "beach, <b>warm</b> light"}
    page = cast.clients["rui"].post(TRY, said).content.decode()
    assert 'Written by <span class="tag">template</span>' in page
    assert "Nothing had to be mended." in page
    assert "a guess from" in page
    assert "<b>warm" not in page
    for wrong in ({"persona": "eve", "length": "medium"}, {"persona": "ada", "length": "endless"}, {}):
        assert cast.clients["rui"].post(TRY, wrong).status_code == 422


def test_a_space_without_a_persona_says_what_to_do_first(cast: Cast) -> None:
    page = cast.clients["sam"].get("/s/elsewhere/writer/").content.decode()
    assert "No persona yet" in page
    assert "Ada" not in page


def test_a_model_is_set_and_tried_and_its_key_is_never_shown(cast: Cast) -> None:
    olga = cast.clients["olga"]
    # The page is told of each model's fault and mending.
    answers = iter([captions("Too short."), captions(f"{good(brief()).text} Link in bio!")])
    with ModelServer(lambda asked: next(answers)) as server:
        saved = olga.post(PAGE, form(server.url, banned="synergy\nleverage"), follow=True).content.decode()
        assert "Saved." in saved
        assert "with a key" in saved
        tried = olga.post(TRY, {"persona": "ada", "length": "medium"}).content.decode()
    assert 'Written by <span class="tag">openai: a-model</span>' in tried
    assert "The text has 10 characters" in tried
    assert "Sentences that read like spam were taken out." in tried
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert server.asked[0].message["wishes"]["never"] == ["synergy", "leverage"]
    api_said = olga.get("/api/spaces/studio/writer").json()
    assert api_said == {
        "kind": "openai",
        "url": server.url,
        "model": "a-model",
        "has_key": True,
        "sees": True,
        "enabled": True,
        "banned": ["synergy", "leverage"],
    }
    row = WriterSettings.objects.get()
    assert row.key.tell() == KEY
    assert KEY not in saved + tried + olga.get(PAGE).content.decode() + json.dumps(api_said) + repr(row.__dict__)


def test_a_hostile_server_gets_its_key_onto_no_page(cast: Cast) -> None:
    def echo(asked: Any) -> Any:
        text = f"{KEY} <script>alert(1)</script> {good(brief()).text}"
        return captions({"text": text, "hashtags": [asked.headers["authorization"]], "alt_text": KEY})

    olga = cast.clients["olga"]
    with ModelServer(echo) as server:
        olga.post(PAGE, form(server.url))
        tried = olga.post(TRY, {"persona": "ada", "length": "medium"}).content.decode()
        written = olga.post(
            "/api/spaces/studio/personas/ada/writing", json.dumps({"says": "beach"}), "application/json"
        ).json()
    assert 'Written by <span class="tag">template</span>' in tried
    assert "It held the key of the server that wrote it" in tried
    assert written[0]["by"] == "template"
    assert KEY not in tried + json.dumps(written)
    assert "<script>alert" not in tried


def test_a_server_that_fails_is_told_in_one_sentence(cast: Cast) -> None:
    with ModelServer(lambda asked: Raw(b'{"error": {"message": "<b>no</b>"}}', 401)) as server:
        cast.clients["olga"].post(PAGE, form(server.url))
        tried = cast.clients["rui"].post(TRY, {"persona": "ada", "length": "medium"}).content.decode()
    assert "openai: a-model answered 401: its key or its rights are not what it wants." in tried
    assert "<b>no" not in tried


def test_a_key_stays_unless_the_address_changes(cast: Cast) -> None:
    olga = cast.user("olga")

    def change(**said: Any) -> WriterSettings:
        told: dict[str, Any] = {"kind": "openai", "url": "http://127.0.0.1:9", "model": "m"}
        return keeping.change(cast.space, Said(**told | said), olga)

    assert change(key=f" {KEY} ").key.tell() == KEY
    assert change(model="another").key.tell() == KEY
    assert change(url="http://127.0.0.1:9/").key.tell() == KEY
    assert not change(forget=True).key
    change(key=KEY)
    # Whoever names another address could read there what was kept for this one.
    assert not change(url="http://127.0.0.1:10").key
    change(key=KEY, url="http://127.0.0.1:10")
    assert not change(kind="ollama", url="http://127.0.0.1:10").key
    assert WriterSettings.objects.count() == 1


def test_only_whoever_opened_the_studio_names_a_server_near_by(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    Membership.objects.filter(user=cast.user("rui")).update(role=Role.owner)
    rui, olga = cast.clients["rui"], cast.clients["olga"]
    refused = rui.post(PAGE, form("http://127.0.0.1:9"))
    assert (refused.status_code, "only whoever opened this studio" in refused.content.decode()) == (422, True)
    assert KEY not in refused.content.decode()
    assert rui.post(PAGE, form("", kind="ollama")).status_code == 422
    assert olga.post(PAGE, form("http://169.254.169.254")).status_code == 422
    assert olga.post(PAGE, form("http://u:p@host")).status_code == 422
    assert not WriterSettings.objects.exclude(kind="template").exists()
    assert olga.post(PAGE, form("http://127.0.0.1:9")).status_code == 302
    # Rui may name another model there, and no other place.
    assert rui.post(PAGE, form("http://127.0.0.1:9", model="other")).status_code == 302
    assert rui.post(PAGE, form("http://127.0.0.1:10")).status_code == 422
    assert (WriterSettings.objects.get().model, WriterSettings.objects.get().url) == ("other", "http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"kind": "oracle"}, "no writer of the kind"),
        ({"model": ""}, "1 to 100 characters"),
        ({"model": "a\x00b"}, "1 to 100 characters"),
        ({"key": "two words"}, "no key of a server"),
        ({"key": "x" * 501}, "no key of a server"),
        ({"key": "schlüssel"}, "no key of a server"),
        ({"banned": ("x" * 61,)}, "At most 100 words of 60"),
        ({"url": "gopher://x"}, "no address of a server"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_changes_nothing(cast: Cast, said: dict[str, Any], fault: str) -> None:
    told: dict[str, Any] = {"kind": "openai", "url": "http://127.0.0.1:9", "model": "m", "key": KEY}
    keeping.change(cast.space, Said(**told), cast.user("olga"))
    with pytest.raises(UserError, match=fault) as caught:
        keeping.change(cast.space, Said(**told | said), cast.user("olga"))
    assert "schl" not in str(caught.value)
    row = WriterSettings.objects.get()
    assert (row.kind, row.model, row.key.tell()) == ("openai", "m", KEY)


def test_a_writer_is_what_its_settings_say(cast: Cast) -> None:
    told: dict[str, Any] = {"kind": "gemini", "model": "gemini-flash", "key": KEY, "url": "http://127.0.0.1:9"}
    keeping.change(cast.space, Said(**told), cast.user("olga"))
    writer = keeping.writer_of(cast.space)
    assert isinstance(writer, ModelWriter)
    assert writer.name == "gemini: gemini-flash"
    keeping.change(cast.space, Said(**told | {"enabled": False}), cast.user("olga"))
    assert isinstance(keeping.writer_of(cast.space), TemplateWriter)
    assert WriterSettings.objects.get().key.tell() == KEY
    row = WriterSettings(kind="gemini")
    assert keeping.address_of(row).startswith("https://generativelanguage.googleapis.com/")


def test_another_space_has_its_own(cast: Cast) -> None:
    keeping.change(cast.space, Said("ollama", "http://127.0.0.1:9", "m"), cast.user("olga"))
    other = cast.user("sam").spaces.get()
    assert isinstance(keeping.writer_of(other), TemplateWriter)
    assert cast.clients["sam"].get("/api/spaces/elsewhere/writer").json()["kind"] == "template"


def test_corrections_become_examples_and_the_oldest_make_room(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST_EDITS", 7)
    olga = cast.user("olga")
    assert keeping.learn(cast.ada, "same ", "same", olga) is None
    assert keeping.learn(cast.ada, "before", " \u200b", olga) is None
    for number in range(9):
        assert keeping.learn(cast.ada, f"before {number}", f"after {number}", olga)
    assert Edit.objects.count() == 7
    assert keeping.examples_of(cast.ada)[0] == ("before 8", "after 8")
    assert len(keeping.examples_of(cast.ada)) == keeping.EXAMPLES


def test_a_brief_begins_with_what_is_known(cast: Cast) -> None:
    cast.ada.voice = {"tone": "edgy"}
    cast.ada.save()
    keeping.learn(cast.ada, "before", "after", None)
    keeping.change(cast.space, Said("template", banned=("synergy", " synergy ", "")), cast.user("olga"))
    known = keeping.brief_for(cast.ada, pillar="Mornings")
    assert (known.persona, known.voice.tone, known.pillar) == ("Ada", "edgy", "Mornings")
    assert (known.edits, known.banned) == ((("before", "after"),), ("synergy",))


def put(client: Client, said: dict[str, Any]) -> Any:
    return client.put("/api/spaces/studio/writer", json.dumps(said), "application/json")


def test_programs_set_it_and_ask_for_captions(cast: Cast) -> None:
    said = {"kind": "ollama", "url": "http://127.0.0.1:9/v1", "model": "llama", "key": KEY}
    statuses = {who: put(cast.clients[who], said).status_code for who in reversed(list(cast.clients))}
    assert statuses == {"olga": 200, "rui": 403, "vic": 403, "sam": 404, "nobody": 401}
    assert put(cast.clients["olga"], said | {"token": "x"}).status_code == 422
    assert put(cast.clients["olga"], said | {"model": ""}).status_code == 400
    assert KEY not in cast.clients["vic"].get("/api/spaces/studio/writer").content.decode()
    assert put(cast.clients["olga"], {"kind": "template"}).json()["has_key"] is False
    address = "/api/spaces/studio/personas/ada/writing"
    wanted = json.dumps({"says": "smiling, beach", "length": "short", "count": 2, "pillar": "Mornings"})
    told = {who: cast.clients[who].post(address, wanted, "application/json").status_code for who in cast.clients}
    assert told == {"olga": 200, "rui": 200, "vic": 403, "sam": 404, "nobody": 401}
    found = cast.clients["rui"].post(address, wanted, "application/json").json()
    assert len({each["text"] for each in found}) == 2
    least, most = checks.LENGTHS[Length.short]
    for each in found:
        assert least <= len(each["text"]) <= most
        assert (each["by"], each["mended"], each["refused"]) == ("template", [], [])
        assert set(each["hashtags"][0]) == {"tag", "guessed_size", "guessed_from"}
    for wrong in ({"count": 6}, {"length": "endless"}, {"image": "x"}):
        assert cast.clients["rui"].post(address, json.dumps(wrong), "application/json").status_code == 422
    assert cast.clients["rui"].post(address.replace("ada", "eve"), "{}", "application/json").status_code == 404


def test_the_page_asks_the_database_a_few_times(cast: Cast, django_assert_max_num_queries: Any) -> None:
    for number in range(5):
        keeping.learn(cast.ada, f"a{number}", f"b{number}", None)
    cast.clients["olga"].get(PAGE)
    with django_assert_max_num_queries(12):
        cast.clients["olga"].get(PAGE)
