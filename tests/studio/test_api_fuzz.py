"""Whatever a program sends, within what the API describes and beyond, the studio answers without a fault."""

import json
import os
from typing import Any

import pytest
import requests
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.studio.conftest import Cast
from tests.studio.test_access import IN_PERSON, begun, invitation
from tests.wheel.cast import picture
from zoetrope.media.hashing import hash_bytes
from zoetrope.studio.api import api
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.studio.spaces.models import ApiToken
from zoetrope.studio.spaces.work import scope_of
from zoetrope.wheel.intake import Found, take_in

# Enough that each kind of field is bent once; ZOETROPE_FUZZ asks for more.
EXAMPLES = int(os.environ.get("ZOETROPE_FUZZ", "8"))
HERE = "http://localhost"
SCHEMA = schemathesis.openapi.from_dict(json.loads(json.dumps(api.get_openapi_schema())))


@pytest.fixture
def real(cast: Cast) -> dict[str, str]:
    """Names of things that there are, so that most calls get past the door."""
    take_in(workspace_of(cast.ada), [Found("a.png", picture(1), "portrait of ada"), Found("b.png", picture(2), None)])
    job = jobs.enqueue("turn", "turn-1", {"persona": cast.ada.pk}, scope=scope_of(cast.space), title="A turn")
    token = ApiToken.find(cast.token("vic"))
    assert token is not None
    known = {"space": "studio", "persona": "ada", "user": "vic", "sha256": hash_bytes(picture(1))}
    known |= begun(cast)
    return known | {"job": str(job.pk), "token": str(token.pk), "invitation": str(invitation(cast))}


@pytest.fixture
def olga(cast: Cast) -> Client:
    """Olga's program."""
    bearer = {"Authorization": f"Bearer {cast.token('olga')}"}
    return Client(headers=bearer, raise_request_exception=False)


def sensible(body: Any, real: dict[str, str]) -> Any:
    """A body whose fields that name things name real ones, so that the rest of it is looked at."""
    meant = {"kind": "drawn", "base": "nano-flux", "consent": "fictional", "pictures": [real["sha256"]]}
    return {name: meant.get(name, value) for name, value in body.items()} if isinstance(body, dict) else body


def asked(client: Client, case: Any) -> Any:
    """Send a case as it would come over the wire."""
    wire = requests.Request(**case.as_transport_kwargs(base_url=HERE)).prepare()
    assert wire.url is not None
    kind = wire.headers.get("Content-Type", "application/json")
    return client.generic(case.method, wire.url.removeprefix(HERE), wire.body or b"", kind)  # type: ignore[arg-type] # bytes too


@pytest.mark.filterwarnings("ignore")
@SCHEMA.parametrize()
@SCHEMA.given(known=st.integers(0, 3))
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_nothing_that_is_sent_breaks_it(case: Any, known: int, cast: Cast, olga: Client, real: dict[str, str]) -> None:
    in_person = (case.method, case.operation.path.removeprefix("/api")) in IN_PERSON
    cast.clients["olga"].raise_request_exception = False
    # One call in four keeps the names that were thought up, to knock at the door itself.
    if known:
        case.path_parameters.update({name: real[name] for name in case.path_parameters if name in real})
    if known > 1:
        case.body = sensible(case.body, real)
    answer = asked(cast.clients["olga"] if in_person else olga, case)
    assert answer.status_code < 500, (case.method, case.formatted_path, case.body)
