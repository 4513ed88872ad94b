"""What travels compressed: text does, whoever serves it; pictures and streams do not."""

import gzip

import pytest
from django.test import Client

from tests.studio.conftest import Cast
from tests.wheel.cast import picture
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.wheel.intake import Found, take_in


@pytest.mark.parametrize(
    "path", ["/s/studio/", "/static/studio/site.css", "/static/vendor/htmx.min.js", "/api/openapi.json"]
)
def test_text_is_compressed(cast: Cast, path: str) -> None:
    client = Client(headers={"Accept-Encoding": "gzip"})
    client.force_login(cast.user("vic"))
    answer = client.get(path)
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(gzip.decompress(body)) > 1.5 * len(body)


def test_pictures_are_sent_as_they_are(cast: Cast) -> None:
    workspace = workspace_of(cast.ada)
    take_in(workspace, [Found("1.png", picture(1), "portrait of ada")])
    (sha256,) = workspace.state().pictures
    answer = cast.clients["vic"].get(f"/s/studio/p/ada/pictures/{sha256}/0", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
    assert answer.content == picture(1)
