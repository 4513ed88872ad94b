"""Whoever calls the test's Graph API, in plain HTTP: no client of ours."""

import httpx

from tests.studio.publishing.graph import Graph
from tests.studio.publishing.graph_clock import MINUTE
from tests.studio.publishing.graph_truth import INSTAGRAM, Account

AT = "http://media.invalid/a.jpg"


class Caller:
    """Ada's account, called as any client could."""

    def __init__(self, graph: Graph, login: str = INSTAGRAM, account: Account | None = None) -> None:
        self.graph = graph
        self.account = account or graph.truth.account("ada", login)
        self.token = graph.truth.token(self.account)
        host = graph.instagram_url if login == INSTAGRAM else graph.facebook_url
        self.client = httpx.Client(base_url=f"{host}/v26.0", timeout=20, trust_env=False, verify=False)

    def get(self, path: str, **params: str) -> httpx.Response:
        return self.client.get(path, params={"access_token": self.token} | params)

    def post(self, path: str, **params: str) -> httpx.Response:
        return self.client.post(path, data={"access_token": self.token} | params)

    def create(self, **params: str) -> httpx.Response:
        return self.post(f"/{self.account.id}/media", **params)

    def made(self, **params: str) -> str:
        """A container that was taken."""
        answer = self.create(**params)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def ready(self, **params: str) -> str:
        """A container that is FINISHED."""
        name = self.made(**params)
        self.graph.clock.advance(2 * MINUTE)
        assert self.status(name) == "FINISHED"
        return name

    def status(self, name: str) -> str:
        return str(self.get(f"/{name}", fields="status_code,status").json()["status_code"])

    def publish(self, name: str) -> httpx.Response:
        return self.post(f"/{self.account.id}/media_publish", creation_id=name)

    def posted(self, **params: str) -> str:
        """A post's id."""
        answer = self.publish(self.ready(**params))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def children(self, number: int) -> str:
        made = [self.made(image_url=AT, is_carousel_item="true") for _ in range(number)]
        self.graph.clock.advance(MINUTE)
        return ",".join(made)

    def upload(
        self, name: str, data: bytes, offset: int = 0, size: int | None = None, **headers: str
    ) -> httpx.Response:
        about = {"Authorization": f"OAuth {self.token}", "offset": str(offset), "file_size": str(size or len(data))}
        url = f"{self.graph.rupload_url}/ig-api-upload/v26.0/{name}"
        return self.client.post(url, headers=about | headers, content=data)


def error(answer: httpx.Response) -> str:
    """Its name: code, and subcode if there is one."""
    found = answer.json()["error"]
    return f"{found['code']}/{found['error_subcode']}" if "error_subcode" in found else str(found["code"])
