"""What somebody with bad intentions tries: foreign sites, foreign names, evil files, evil words, open ears."""

import base64
import io
import json
import logging
import struct
import zipfile
import zlib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import get_resolver

from tests.studio.conftest import PASSWORD, Cast
from tests.studio.crowd import routes
from tests.studio.test_access import address, addressed
from tests.wheel.cast import picture
from zoetrope.media.decode import Limits
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.jobs.models import LogLine
from zoetrope.studio.keys import read_secret
from zoetrope.studio.logs import Discreet
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.studio.spaces.models import ApiToken, OneTimeLink, Role
from zoetrope.studio.spaces.work import scope_of
from zoetrope.studio.workshop import shelf
from zoetrope.wheel import events as ev
from zoetrope.wheel.intake import MOST_FILES, Found, take_in
from zoetrope.wheel.persona import make_persona
from zoetrope.wheel.workspace import new_workspace, personas_folder

AT = "/s/studio/p/ada"
DOORS = (f"{AT}/sources/", "/api/spaces/studio/personas/ada/sources")


# A foreign site, a foreign name


def pages(cast: Cast) -> Iterator[str]:
    """The address of every page."""
    plain = addressed(cast)
    for name, route in routes(get_resolver().url_patterns):
        if name == "link":
            yield f"/link/{OneTimeLink.make(OneTimeLink.Purpose.invite, cast.space)}/"
        elif not route.startswith("api/"):
            yield address(name, plain)


def test_no_page_acts_for_a_foreign_site(cast: Cast) -> None:
    careless = Client(enforce_csrf_checks=True)
    careless.force_login(cast.user("olga"))
    asked = list(pages(cast))
    assert {page: careless.post(page).status_code for page in asked} == dict.fromkeys(asked, 403)
    assert Client(enforce_csrf_checks=True).post("/login/", {"username": "olga"}).status_code == 403


def test_a_login_at_the_api_needs_its_own_site_too(cast: Cast) -> None:
    olga = Client(enforce_csrf_checks=True)
    olga.force_login(cast.user("olga"))
    olga.get("/s/studio/members/")
    headers = {"X-CSRFToken": olga.cookies["zoetrope_csrf"].value}
    asked = "/api/spaces/studio/tokens", {"name": "x"}, "application/json"
    assert olga.post(*asked, headers=headers).status_code == 201
    assert olga.post(*asked, headers=headers | {"Origin": "https://evil.example"}).status_code == 403


@pytest.mark.parametrize(
    "host",
    ["rebound.example", "127.0.0.1.rebound.example", "localhost.rebound.example", "0.0.0.0", "2130706433", "127.1"],
)
def test_no_foreign_name_reaches_anything(cast: Cast, host: str) -> None:
    olga = cast.clients["olga"]
    olga.defaults["HTTP_HOST"] = host
    asked = [*pages(cast), "/api/spaces", "/api/openapi.json", "/api/docs"]
    assert {page: olga.get(page).status_code for page in asked} == dict.fromkeys(asked, 400)


def test_no_header_makes_a_name_ours(cast: Cast) -> None:
    told = {"Host": "127.0.0.1", "X-Forwarded-Host": "rebound.example", "Forwarded": "host=rebound.example"}
    made = cast.clients["olga"].post(
        "/api/spaces/studio/invitations", {"role": "viewer"}, "application/json", headers=told
    )
    assert made.json()["link"].startswith("http://127.0.0.1/link/")


# Evil files


def sent(cast: Cast, door: str, name: str, data: bytes) -> Any:
    """An upload as it goes over the wire: the client would tidy up the name."""
    head = f'--part\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
    return cast.clients["rui"].generic(
        "POST",
        door,
        head + data + b"\r\n--part--\r\n",
        "multipart/form-data; boundary=part",
    )


def everything() -> set[Path]:
    return {path for path in personas_folder().parent.parent.rglob("*") if path.is_file()}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "name",
    [
        "../../evil.png",
        "/etc/evil.png",
        "..\\\\..\\\\evil.png",
        "C:\\\\evil.png",
        "....//evil.png",
        "%2e%2e%2fevil.png",
        "&#46;&#46;&#47;evil.png",
        "..",
        ".png",
        "evil.png/..",
        "evil\x00.png",
        "sources/../persona.toml",
        "évil" * 60 + ".png",
        "a" * 300 + ".png",
    ],
)
def test_no_name_chooses_its_folder(cast: Cast, door: str, name: str) -> None:
    before = everything()
    assert sent(cast, door, name, picture(3)).status_code in (201, 302, 400, 422)
    home = workspace_of(cast.ada).folder
    fresh = {path.relative_to(home).parts[0] for path in everything() - before if path.name != ".lock"}
    assert fresh <= {"sources"}


def packed(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def lying(size: int) -> bytes:
    """A ZIP whose directory gives another size than its picture has."""
    data = bytearray(packed(**{"a.png": picture(1)}))
    entry = data.index(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = struct.pack("<I", size)
    return bytes(data)


def pixel_bomb() -> bytes:
    """A small PNG that says it is enormous."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    size = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(bytes(10**6))) + chunk(b"IEND", b"")
    )


BOMBS = {
    "announced": lambda: lying(3 * 2**30),
    "hidden": lambda: lying(10),
    "one huge": lambda: packed(**{"a.png": bytes(Limits().max_bytes + 1)}),
    "many": lambda: packed(**{f"{n}.png": b"" for n in range(MOST_FILES + 1)}),
    "nested": lambda: packed(**{"a.zip": packed(**{"a.png": picture(1)})}),
    "pixels": lambda: packed(**{"a.png": pixel_bomb()}),
    "above": lambda: packed(**{"../a.png": picture(1)}),
    "absolute": lambda: packed(**{"/etc/a.png": picture(1)}),
    "backslashes": lambda: packed(**{"..\\..\\a.png": picture(1)}),
    "torn": lambda: packed(**{"a.png": picture(1)})[:-20],
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("bomb", BOMBS)
def test_no_archive_does_harm(cast: Cast, door: str, bomb: str) -> None:
    before = everything()
    answer = sent(cast, door, "all.zip", BOMBS[bomb]())
    assert answer.status_code == 400, answer.content
    assert {path for path in everything() - before if path.name != ".lock"} == set()


def test_a_consent_lies_in_its_workspace(cast: Cast) -> None:
    """A workspace that somebody hands over may name any file as its document."""
    consent = {"kind": "granted", "document": "../../secrets.key", "sha256": "0" * 64}
    (personas_folder().parent / "secrets.key").write_bytes(b"x" * 32)
    path = workspace_of(cast.ada).folder / "persona.toml"
    said = path.read_text(encoding="utf-8").partition("[consent]")[0]
    lines = [f'{name} = "{value}"' for name, value in consent.items()]
    path.write_text("\n".join([said, "[consent]", *lines, ""]), encoding="utf-8")
    for door in (f"{AT}/consent/", "/api/spaces/studio/personas/ada/consent"):
        assert cast.clients["olga"].get(door).status_code == 404


@pytest.mark.parametrize(
    "page", ["card/{}/front.png", "turns/{}/samples/000001-0.png", "card/?left={}", "sources/?from={}"]
)
def test_numbers_beyond_all_measure_lead_nowhere(cast: Cast, page: str) -> None:
    for digits in (30, 300, 5000):
        assert cast.clients["olga"].get(f"{AT}/{page.format('9' * digits)}").status_code in (200, 404)


# Evil words

EVIL = "\"'><img src=x onerror=alert(1)><script>alert(1)</script>"


class Alive(HTMLParser):
    """What in a page would run though no file of ours holds it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        loose = tag == "script" and not said.get("src") and said.get("type") != "application/json"
        if loose or any(name.startswith("on") for name in said):
            self.found.append(self.get_starttag_text() or tag)


def test_the_look_for_what_is_alive_sees_it() -> None:
    assert len(Alive(f'<p title="{EVIL}">').found) == 2


@pytest.fixture
def evil(cast: Cast) -> Cast:
    """A space in which everything that people or files may name is named evilly."""
    cast.space.name = EVIL
    cast.space.save()
    Persona.objects.filter(pk=cast.ada.pk).update(title=EVIL, about=EVIL, voice={"topics": [EVIL], "examples": [EVIL]})
    cast.user("vic").__class__.objects.filter(username="vic").update(username=EVIL)
    ApiToken.make(cast.space, cast.user("olga"), EVIL)
    (personas_folder() / EVIL.replace("/", "")).mkdir()
    told = make_persona(name="bo", kind="drawn", trigger="bo", base="nano-flux", consent={"kind": "self"})
    new_workspace(personas_folder() / EVIL.replace("/", ""), told)
    workspace = workspace_of(cast.ada)
    take_in(workspace, [Found(f"{n}.png", picture(n), f"{EVIL}, scene") for n in range(4)])
    card = {"scores": {EVIL: 0.5}, "pictures": [{"scene": "a", "label": EVIL}]}
    folder = workspace.folder / "rounds" / "001" / "card"
    folder.mkdir(parents=True)
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    workspace.record([ev.Carded(round=1, scores={}), ev.Closed(round=1, verdict=EVIL)])
    for number, state in enumerate((jobs.State.RUNNING, jobs.State.FAILED)):
        named = {"persona": cast.ada.pk}
        job = jobs.enqueue("turn", f"turn-{number}", named, scope=scope_of(cast.space), title=EVIL)
        jobs.Job.objects.filter(pk=job.pk).update(state=state, stage=EVIL, error=EVIL)
        job.lines.create(text=EVIL)
    return cast


def everywhere() -> Iterator[str]:
    yield from ("/spaces/new/", "/s/studio/", "/s/studio/members/", "/s/studio/jobs/", "/s/studio/new-persona/")
    yield from (f"{AT}/{page}" for page in ("", "settings/", "sources/", "captions/", "review/", "turns/", "card/"))
    yield f"{AT}/exports/"


def test_evil_words_are_only_words(evil: Cast) -> None:
    olga = evil.clients["olga"]
    asked = [*everywhere(), *(f"/s/studio/jobs/{job.pk}/" for job in jobs.Job.objects.all())]
    for at in asked:
        for headers in ({}, {"HX-Request": "true"}):
            page = olga.get(at, headers=headers)
            text = page.content.decode()
            assert (page.status_code, Alive(text).found) == (200, []), at
            # Even the barest page of the space names it.
            assert "onerror=alert(1)" in text or headers or at == "/spaces/new/", at


def test_evil_words_that_come_back_are_only_words(evil: Cast) -> None:
    olga = evil.clients["olga"]
    token, job = ApiToken.objects.get(name=EVIL), jobs.Job.objects.get(key="turn-1")
    mia = {"title": EVIL, "name": EVIL, "kind": EVIL, "looks": EVIL, "trigger": EVIL, "base": "nano-flux"}
    acts: list[tuple[str, dict[str, str]]] = [
        ("/s/studio/adopt/", {"folder": EVIL}),
        ("/s/studio/new-persona/", mia),
        ("/s/studio/new-persona/", mia | {"name": "mia", "kind": "drawn", "consent": "fictional"}),
        ("/s/studio/adopt/", {"folder": EVIL.replace("/", "")}),
        (f"/s/studio/tokens/{token.pk}/end/", {}),
        (f"/s/studio/jobs/{job.pk}/act/", {"do": "again"}),
        (f"{AT}/settings/", {"form": "about", "title": EVIL * 3}),
        (f"{AT}/settings/", {"form": "voice", "tone": EVIL, "topics": EVIL}),
    ]
    for at, said in acts:
        for headers in ({}, {"HX-Request": "true"}):
            text = olga.post(at, said, follow=True, headers=headers).content.decode()
            assert Alive(text).found == [], at
    for name in (EVIL.replace("/", "").replace('"', ""), "<img src=x onerror=alert(1)>.png"):
        text = sent(evil, DOORS[0], name, b"no picture").content.decode()
        assert (Alive(text).found, "onerror=alert(1)" in text) == ([], True)


def test_what_the_api_says_is_no_page(evil: Cast) -> None:
    olga = evil.clients["olga"]
    asked = [f"/api/spaces/studio/personas/{path}" for path in ("ada", "ada/captions", "ada/cards", EVIL[:20])]
    for at in (*asked, "/api/spaces", "/api/spaces/studio/jobs"):
        told = olga.get(at)
        assert told.headers["Content-Type"].startswith("application/json"), at
        assert told.headers["X-Content-Type-Options"] == "nosniff"


# Open ears


@pytest.fixture
def secrets(cast: Cast) -> dict[str, str]:
    """Everything that opens a door, by what it is."""
    olga = cast.clients["olga"]
    key = read_secret(settings.HOME)
    page = olga.post("/s/studio/tokens/", {"name": "by page"}).content.decode()
    return {
        "the page's token": page.split('id="secret">')[1].split("<")[0],
        "the API's token": olga.post("/api/spaces/studio/tokens", {"name": "x"}, "application/json").json()["secret"],
        "an invitation": OneTimeLink.make(OneTimeLink.Purpose.invite, cast.space, Role.owner),
        "a password's link": OneTimeLink.make(OneTimeLink.Purpose.password, user=cast.user("vic")),
        "a password": PASSWORD,
        "a new password": "a brand new drum",
        "a session": olga.cookies["zoetrope_session"].value,
        "the key": key.hex(),
        "the key in base64": base64.b64encode(key).decode(),
        "what signs logins": settings.SECRET_KEY,
    }


def broken(*args: Any, **rest: Any) -> Any:
    raise RuntimeError(f"broken with Bearer zt_{'x' * 30} at /link/{'y' * 30}/")


def mishaps(cast: Cast, secrets: dict[str, str]) -> Iterator[Any]:
    """Answers of every kind of refusal and fault, each asked for with secrets in hand."""
    quiet = Client(raise_request_exception=False)
    careless = Client(enforce_csrf_checks=True, raise_request_exception=False)
    invitation, new = f"/link/{secrets['an invitation']}/", secrets["a new password"]
    yield quiet.post("/login/", {"username": "olga", "password": secrets["a new password"]})
    yield careless.post(invitation, {"username": "ned", "password1": PASSWORD, "password2": PASSWORD})
    yield quiet.get(invitation, headers={"Host": "rebound.example"})
    yield quiet.post(invitation, {"username": "ned", "password1": PASSWORD, "password2": "other"})
    yield cast.clients["olga"].get("/s/studio/members/1/")
    forgotten = secrets["a password's link"]
    passwords = {"new_password1": new, "new_password2": new}
    for _ in range(2):
        yield quiet.post(f"/link/{forgotten}/", passwords)
    for token in (secrets["the page's token"], secrets["the API's token"]):
        program = Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)
        for path in ("spaces/elsewhere/members", "spaces/studio/personas/nobody", "nowhere"):
            yield program.get(f"/api/{path}")
        yield program.post("/api/spaces/studio/personas/ada/review", "{", "application/json")
        yield program.get("/api/spaces/studio/personas/ada/exports")
    olga = cast.clients["olga"]
    olga.raise_request_exception = False
    yield olga.get(f"{AT}/exports/")
    yield olga.get("/s/studio/nowhere/")
    yield quiet.post(invitation, {"username": "ned", "password1": PASSWORD, "password2": PASSWORD})


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the site's own handlers write."""
    heard = io.StringIO()
    handler = next(each for each in logging.getLogger().handlers if isinstance(each.formatter, Discreet))
    assert isinstance(handler, logging.StreamHandler)
    before = handler.setStream(heard)
    yield heard
    handler.setStream(before)


def test_a_refused_visitor_takes_a_line_of_the_log(cast: Cast, log: io.StringIO) -> None:
    assert cast.clients["vic"].post("/s/studio/new-persona/").status_code == 403
    assert (log.getvalue().count("\n"), "Forbidden" in log.getvalue()) == (1, True)


def test_secrets_are_told_nobody(
    cast: Cast, secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    monkeypatch.setattr(shelf, "exports", broken)
    monkeypatch.setattr("zoetrope.studio.spaces.people.join", broken)
    answers = list(mishaps(cast, secrets))
    assert {400, 403, 404, 405, 500} <= {answer.status_code for answer in answers} - {200, 302}
    rows = [*jobs.Job.objects.values_list(), *LogLine.objects.values_list()]
    heard = {"the log": log.getvalue(), "the jobs": str(rows)} | {
        f"{answer.request['REQUEST_METHOD']} {number}": answer.content.decode() for number, answer in enumerate(answers)
    }
    told = [(place, what) for place, text in heard.items() for what, secret in secrets.items() if secret in text]
    assert told == []
    assert "RuntimeError: broken with Bearer … at /link/…" in log.getvalue(), "the log tells what broke"


def test_a_fault_shows_nothing_of_itself(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "exports", broken)
    olga = cast.clients["olga"]
    olga.raise_request_exception = False
    for at in (f"{AT}/exports/", "/api/spaces/studio/personas/ada/exports"):
        answer = olga.get(at)
        text = answer.content.decode()
        assert answer.status_code == 500
        assert not [word for word in ("RuntimeError", "broken", "Traceback", "site-packages", "zt_") if word in text]
