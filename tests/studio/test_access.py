"""Every address, as everybody: what each may do is written here once, and nothing is left out."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.studio.conftest import Cast
from zoetrope.studio.spaces.models import Membership, OneTimeLink

WHO = ("olga", "rui", "vic", "sam", "nobody")
# For each name of an address and method, what olga, rui, vic, sam and a visitor without a login get.
# 302 for a visitor is the way to the login page; 404 for sam, who is not to know that there is anything.
PAGES = {
    ("home", "GET"): (302, 302, 302, 302, 302),
    ("login", "GET"): (302, 302, 302, 302, 200),
    ("space-new", "GET"): (200, 200, 200, 200, 302),
    ("members", "GET"): (200, 200, 200, 404, 302),
    ("invite", "POST"): (302, 403, 403, 404, 302),
    ("member", "POST"): (302, 403, 403, 404, 302),
    ("token-new", "POST"): (302, 302, 302, 404, 302),
    ("token-end", "POST"): (302, 404, 404, 404, 302),
    ("space", "GET"): (200, 200, 200, 404, 302),
    ("persona-new", "GET"): (200, 403, 403, 404, 302),
    ("persona-adopt", "POST"): (400, 403, 403, 404, 302),
    ("persona", "GET"): (200, 200, 200, 404, 302),
    ("persona-settings", "GET"): (200, 403, 403, 404, 302),
    ("persona-consent", "GET"): (404, 403, 403, 404, 302),
    ("work", "GET"): (200, 200, 200, 404, 302),
    ("work-live", "GET"): (200, 200, 200, 404, 302),
    ("job-page", "GET"): (404, 404, 404, 404, 302),
    ("job", "POST"): (404, 403, 403, 404, 302),
    ("turns", "GET"): (200, 200, 200, 404, 302),
    ("turns", "POST"): (400, 403, 403, 404, 302),
    ("sources", "GET"): (200, 200, 200, 404, 302),
    ("sources", "POST"): (400, 400, 403, 404, 302),
    ("captions", "GET"): (200, 200, 200, 404, 302),
    ("captions", "POST"): (404, 404, 403, 404, 302),
    ("review", "GET"): (200, 200, 200, 404, 302),
    ("decide", "POST"): (400, 400, 403, 404, 302),
    ("undo", "POST"): (400, 400, 403, 404, 302),
    ("turn-sample", "GET"): (404, 404, 404, 404, 302),
    ("card", "GET"): (200, 200, 200, 404, 302),
    ("card-picture", "GET"): (404, 404, 404, 404, 302),
    ("exports", "GET"): (200, 200, 200, 404, 302),
    ("export", "GET"): (404, 404, 404, 404, 302),
    ("picture", "GET"): (404, 404, 404, 404, 302),
    ("made-picture", "GET"): (404, 404, 404, 404, 302),
    ("loras", "GET"): (200, 200, 200, 404, 302),
    ("lora-add", "GET"): (200, 403, 403, 404, 302),
    ("lora-add", "POST"): (422, 403, 403, 404, 302),
    ("lora", "GET"): (404, 404, 404, 404, 302),
    ("lora-act", "POST"): (404, 403, 403, 404, 302),
    ("lora-card", "GET"): (404, 404, 404, 404, 302),
    ("lora-file", "GET"): (404, 404, 404, 404, 302),
    ("persona-loras", "GET"): (200, 200, 200, 404, 302),
    ("persona-loras", "POST"): (404, 403, 403, 404, 302),
    ("try", "GET"): (200, 200, 200, 404, 302),
    ("try", "POST"): (422, 422, 403, 404, 302),
    ("try-persona", "GET"): (200, 200, 200, 404, 302),
    ("try-persona", "POST"): (422, 422, 403, 404, 302),
    ("tried", "GET"): (404, 404, 404, 404, 302),
}
# The same for the API, whose visitors without a login are told 401.
CALLS = {
    ("list_spaces", "GET"): (200, 200, 200, 200, 401),
    ("list_members", "GET"): (200, 200, 200, 404, 401),
    ("list_personas", "GET"): (200, 200, 200, 404, 401),
    ("make_persona", "POST"): (422, 422, 422, 422, 401),
    ("one_persona", "GET"): (200, 200, 200, 404, 401),
    ("change_persona", "PATCH"): (200, 403, 403, 404, 401),
    ("list_loras", "GET"): (200, 200, 200, 404, 401),
    ("add_lora", "POST"): (422, 422, 422, 422, 401),
    ("one_lora", "GET"): (404, 404, 404, 404, 401),
    ("retire_lora", "DELETE"): (404, 403, 403, 404, 401),
    ("restore_lora", "POST"): (404, 403, 403, 404, 401),
    ("list_worn", "GET"): (200, 200, 200, 404, 401),
    ("wear_lora", "PUT"): (404, 403, 403, 404, 401),
    ("take_off_lora", "DELETE"): (404, 403, 403, 404, 401),
    ("draw", "POST"): (422, 422, 422, 422, 401),
    ("one_order", "GET"): (404, 404, 404, 404, 401),
    ("list_made", "GET"): (200, 200, 200, 404, 401),
}
# Doors that stand open on purpose, or answer another method only.
OPEN = {"service-worker", "link", "logout", "openapi-json", "openapi-view", "api-root"}


def names(patterns: "list[URLPattern | URLResolver]", within: str = "") -> Iterator[str]:
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from names(each.url_patterns)
        elif each.name:
            yield each.name


def test_nothing_is_left_out() -> None:
    known = {name for name, _ in (*PAGES, *CALLS)} | OPEN
    assert set(names(get_resolver().url_patterns)) - known == set()


def address(cast: Cast, name: str) -> str:
    """A real address of that name, of Olga's space."""
    membership = Membership.objects.get(user__username="vic", space=cast.space)
    token = cast.space.tokens.first() or cast.space.tokens.model.find(cast.token("olga"))
    plain = {"space": "studio", "persona": "ada", "membership": str(membership.pk), "token": str(token and token.pk)}
    plain |= {"number": "1", "scene": "front", "name": "ada_v1.json", "sha256": "0" * 64, "side": "320", "job": "1"}
    plain |= {"lora": "1", "order": "1", "kind": "png"}
    route = next(route for found, route in routes(get_resolver().url_patterns) if found == name)
    for key, value in plain.items():
        for form in (f"<slug:{key}>", f"<int:{key}>", f"<{key}>", f"<str:{key}>"):
            route = route.replace(form, value)
    assert "<" not in route, route
    return "/" + route


def routes(patterns: "list[URLPattern | URLResolver]", before: str = "") -> Iterator[tuple[str, str]]:
    for each in patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from routes(each.url_patterns, route)
        elif each.name:
            yield each.name, route


def ask(client: Client, method: str, path: str) -> int:
    if method == "GET":
        return client.get(path).status_code
    if path.startswith("/api/"):
        return client.generic(method, path, "{}", "application/json").status_code
    return client.post(path, {"role": "10"}).status_code


@pytest.mark.parametrize(("name", "method"), [*PAGES, *CALLS])
def test_each_gets_what_is_theirs(cast: Cast, name: str, method: str) -> None:
    expected = (PAGES | CALLS)[name, method]
    path = address(cast, name)
    # The owner goes last: what she does may change what the others find.
    found = {who: ask(cast.clients[who], method, path) for who in reversed(WHO)}
    assert tuple(found[who] for who in WHO) == expected


def test_a_foreign_site_cannot_act_for_a_member(cast: Cast) -> None:
    careless = Client(enforce_csrf_checks=True)
    careless.force_login(cast.user("olga"))
    assert ask(careless, "POST", address(cast, "invite")) == 403
    assert ask(careless, "PATCH", address(cast, "change_persona")) == 403


def test_a_token_opens_its_own_space_only(cast: Cast) -> None:
    secret = cast.token("olga")
    program = Client(headers={"Authorization": f"Bearer {secret}"})
    assert program.get("/api/spaces/studio/personas").status_code == 200
    assert program.get("/api/spaces/elsewhere/personas").status_code in (403, 404)
    assert [each["slug"] for each in program.get("/api/spaces").json()] == ["studio"]
    assert Client(headers={"Authorization": "Bearer zt_guess"}).get("/api/spaces").status_code == 401
    cast.user("olga").delete()
    assert program.get("/api/spaces").status_code == 401


def test_another_host_is_refused(cast: Cast) -> None:
    """A name that somebody points at this machine reaches nothing here."""
    assert cast.clients["olga"].get("/s/studio/", headers={"Host": "rebound.example"}).status_code == 400


def test_links_open_once(cast: Cast) -> None:
    secret = OneTimeLink.make(OneTimeLink.Purpose.invite, cast.space)
    sam = cast.clients["sam"]
    assert sam.post(f"/link/{secret}/").status_code == 302
    assert sam.get("/s/studio/").status_code == 200
    assert Client().get(f"/link/{secret}/").status_code == 404
    assert Client().get("/link/guess/").status_code == 404
