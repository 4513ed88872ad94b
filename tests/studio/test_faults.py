"""What a visitor or a program is told when something is refused before, or in spite of, its page."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DataError
from django.test import Client
from pytest_django import Settings

from tests.studio.conftest import Cast
from zoetrope.errors import UserError
from zoetrope.studio.api import api
from zoetrope.studio.middleware import LOGGED_OUT, UNKEPT
from zoetrope.wheel.intake import MOST_FILES
from zoetrope.wheel.workspace import Busy

SOURCES = "/s/studio/p/ada/sources/"
PROGRAMS = "/api/spaces/studio/personas/ada/sources"
PICTURE = f"/spaces/studio/made/{'0' * 64}"


def test_a_script_whose_login_ended_is_told(cast: Cast) -> None:
    nobody = cast.clients["nobody"]
    told = nobody.post("/s/studio/try/", headers={"Accept": "text/html, application/json"})
    assert (told.status_code, told.json()) == (401, {"detail": LOGGED_OUT})
    at = "http://testserver/s/studio/p/ada/captions/?page=2"
    part = nobody.post("/s/studio/p/ada/captions/", headers={"HX-Request": "true", "HX-Current-URL": at})
    assert (part.status_code, LOGGED_OUT in part.content.decode(), "<main" in part.content.decode()) == (
        401,
        True,
        False,
    )
    assert part.headers["HX-Redirect"] == "/login/?next=/s/studio/p/ada/captions/%3Fpage%3D2"
    odd = nobody.get("/s/studio/try/", headers={"HX-Request": "true", "HX-Current-URL": "http://["})
    assert (odd.status_code, odd.headers["HX-Redirect"]) == (401, "/login/?next=/")
    assert nobody.get("/s/studio/try/").headers["Location"] == "/login/?next=/s/studio/try/"
    assert "token" in nobody.get("/api/spaces").json()["detail"]


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes"), 400, UNKEPT),
        (ValueError("embedded null byte"), 400, UNKEPT),
        (Busy("Somebody else is at work."), 409, "Somebody else is at work."),
        (UserError("That is no picture."), 400, "That is no picture."),
    ],
)
def test_pages_and_programs_are_told_the_same(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, sentence: str
) -> None:
    def broken(*said: object) -> None:
        raise error

    for room in ("views", "api"):
        monkeypatch.setattr(f"zoetrope.studio.making.{room}.sent_made", broken)
    vic = cast.clients["vic"]
    page = vic.get(f"/s/studio/made/{'0' * 64}/0")
    assert (page.status_code, sentence in page.content.decode()) == (status, True)
    told = vic.get(f"/api{PICTURE}")
    assert (told.status_code, told.json()) == (status, {"detail": sentence})


def too_many(client: Client, door: str) -> Any:
    return client.post(door, {"files": [SimpleUploadedFile(f"{n}.txt", b"x") for n in range(4)]})


def too_much(client: Client, door: str) -> Any:
    return client.post(door, {"text": "x" * 2000})


def foreign(client: Client, door: str) -> Any:
    return client.post(door, headers={"Host": "rebound.example"})


@pytest.mark.parametrize(
    ("ask", "why"), [(too_many, "files are taken at once"), (too_much, "more text"), (foreign, "ZOETROPE_HOSTS")]
)
def test_a_refused_request_says_why(cast: Cast, settings: Settings, ask: Any, why: str) -> None:
    assert settings.DATA_UPLOAD_MAX_NUMBER_FILES == MOST_FILES
    settings.DATA_UPLOAD_MAX_NUMBER_FILES, settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 3, 1000
    page = ask(cast.clients["rui"], SOURCES)
    assert (page.status_code, page.content.decode().count('role="alert"'), why in page.content.decode()) == (
        400,
        1,
        True,
    )
    program = Client(headers={"Authorization": f"Bearer {cast.token('rui')}"})
    told = ask(program, PROGRAMS)
    assert (told.status_code, why in told.json()["detail"]) == (400, True)


def test_the_description_names_what_may_be_refused() -> None:
    for operations in api.get_openapi_schema()["paths"].values():
        for operation in operations.values():
            assert {200, 201, 202, 204} & set(operation["responses"])
            assert {400, 401, 403, 404, 409, 422, 503} < set(operation["responses"])
