"""Instagram's client, driver and error table, against the Graph API server; and a server that repeats secrets."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.studio.publishing.graph import Graph, Options, Plan
from tests.studio.publishing.graph_clock import DAY, HOUR
from tests.studio.publishing.graph_samples import Shelf, clip, picture
from tests.studio.publishing.graph_truth import Account
from zoetrope.studio.publishing.channels.instagram.client import Client
from zoetrope.studio.publishing.channels.instagram.driver import Instagram
from zoetrope.studio.publishing.channels.instagram.errors import hushed
from zoetrope.studio.publishing.channels.seam import Do, Driver, Lost, Parcel, Refused, Shot, Standing
from zoetrope.studio.publishing.looks import look_of

AGAIN, ANEW, POLL, WAIT, LATER, STOP, MEND = Do.AGAIN, Do.ANEW, Do.POLL, Do.WAIT, Do.LATER, Do.STOP, Do.MEND
# The table of the facts page, row by row.
TABLE: dict[str, Do] = {
    **dict.fromkeys(("2207003", "2207001", "2207008", "1", "2"), AGAIN),
    **dict.fromkeys(("2207032", "2207053", "2207052", "2207020", "2207006"), ANEW),
    "2207027": POLL,
    **dict.fromkeys(("4", "17", "32", "613", "80002", "341"), WAIT),
    "9/2207042": LATER,
    **dict.fromkeys(
        ("4/2207051", "2207050", "190", "190/460", "190/463", "102", "10", "200", "230", "299", "368"), STOP
    ),
    **dict.fromkeys(("2207004", "2207005", "2207009", "2207010", "2207023"), MEND),
    **dict.fromkeys(("2207026", "2207028", "2207040", "2207057"), MEND),
}


class Echo:
    """A server that answers every call with an error that repeats all it was sent."""

    def __init__(self, filler: int = 0) -> None:
        echo = self
        self.heard: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                sent = f"{'x ' * filler}{self.headers.get('Authorization', '')} {self.path} {body}"
                echo.heard.append(sent)
                told = {"message": sent, "error_user_msg": sent, "code": 190, "error_subcode": sent, "type": sent}
                data = json.dumps({"error": told}).encode()
                self.send_response(400)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = handle_any

            def log_message(self, *_: object) -> None:
                """Nothing is said on the terminal."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Echo":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class Ada:
    """An account, its client and its driver."""

    def __init__(self, graph: Graph, login: str = "instagram") -> None:
        self.graph = graph
        self.account: Account = graph.truth.account("ada.paints", login)
        self.token = graph.truth.token(self.account)
        base = graph.instagram_url if login == "instagram" else graph.facebook_url
        self.client = Client(self.token, "v26.0", base, graph.rupload_url, timeout=5)
        self.addresses: dict[str, str] = {}
        self.driver: Driver = Instagram(self.client, self.account.id, lambda shot: self.addresses[shot.sha256])

    def shot(self, name: str = "one", alt: str = "") -> Shot:
        self.addresses.setdefault(name, f"https://studio.example.org/out/{name}.jpg")
        return Shot(name, alt, b"", Path(f"{name}.jpg"))

    def parcel(self, kind: str = "image", *shots: Shot, labelled: bool = True, text: str = "At the sea.") -> Parcel:
        return Parcel(1, kind, text, shots or (self.shot(),), labelled)

    def ready(self, parcel: Parcel) -> str:
        """Its container, finished."""
        parts = [self.driver.part(parcel, number) for number in range(self.driver.parts(parcel))]
        self.graph.clock.advance(HOUR)
        container = self.driver.whole(parcel, parts)
        assert self.driver.stands(container).standing is Standing.IN_PROGRESS
        self.graph.clock.advance(HOUR)
        assert self.driver.stands(container).standing is Standing.FINISHED
        return container

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.graph.clock.now(), UTC)


@pytest.fixture
def ada() -> Iterator[Ada]:
    with Graph(options=Options(check_files=False)) as graph:
        # As slowly as the wall's: here time is told to go on.
        graph.clock.factor = 1.0
        found = Ada(graph)
        yield found
        found.client.close()


@pytest.mark.parametrize(("name", "do"), TABLE.items())
def test_every_row_of_the_error_table(ada: Ada, name: str, do: Do) -> None:
    ada.graph.faults.rest = 7
    ada.graph.faults.once("create", Plan(before=name))
    with pytest.raises(Refused) as refused:
        ada.driver.whole(ada.parcel(), [])
    error = refused.value
    code, _, subcode = name.rpartition("/")
    assert error.do is do
    assert int(subcode) in (error.subcode, error.code)
    assert not code or error.code == int(code)
    assert error.status in (400, 401, 403, 500)
    assert str(error).startswith("Instagram: ")
    assert name.rpartition("/")[2] in str(error)
    assert error.seconds == (7 * 60 if do is WAIT else None)


@pytest.mark.parametrize(
    ("status", "do"), [("2207026", MEND), ("2207009", MEND), ("2207053", ANEW), ("2207032", ANEW), ("2207001", AGAIN)]
)
def test_a_container_that_went_wrong_says_what_is_to_be_done(ada: Ada, status: str, do: Do) -> None:
    ada.graph.faults.once("create", Plan(fails=status))
    container = ada.driver.whole(ada.parcel(), [])
    ada.graph.clock.advance(HOUR)
    told = ada.driver.stands(container)
    assert (told.standing, told.do, status in told.sentence) == (Standing.ERROR, do, True)


def test_a_container_that_is_not_known_yet_is_asked_for_again(ada: Ada) -> None:
    with pytest.raises(Refused) as refused:
        ada.driver.stands("17840000000000000")
    assert (refused.value.do, refused.value.code, refused.value.subcode) == (AGAIN, 100, 33)


@pytest.mark.parametrize("fault", [Plan(before="reset"), Plan(after="lost"), Plan(after="502"), Plan(before="503")])
def test_no_answer_is_no_refusal(ada: Ada, fault: Plan) -> None:
    ada.graph.faults.once("create", fault)
    with pytest.raises(Lost, match=r"Instagram did not answer|no JSON"):
        ada.driver.whole(ada.parcel(), [])


def test_an_answer_that_is_too_late_is_lost(ada: Ada) -> None:
    ada.graph.faults.delay = 1.0
    ada.graph.faults.once("publish", Plan(after="late"))
    hurried = Client(ada.token, "v26.0", ada.graph.instagram_url, timeout=0.2)
    container = ada.ready(ada.parcel())
    with pytest.raises(Lost, match="ReadTimeout"):
        Instagram(hurried, ada.account.id, lambda shot: "").publish(container)
    hurried.close()
    assert len(ada.account.posts) == 1, "it was carried out all the same"


def test_a_picture_goes_out_with_all_its_words(ada: Ada) -> None:
    before = ada.now()
    container = ada.ready(ada.parcel("image", ada.shot("one", "A boat.")))
    assert ada.graph.truth.containers[container].params == {
        "image_url": "https://studio.example.org/out/one.jpg",
        "caption": "At the sea.",
        "alt_text": "A boat.",
        "is_ai_generated": "true",
    }
    media = ada.driver.publish(container)
    assert media != container
    assert ada.driver.stands(container).standing is Standing.PUBLISHED
    [seen] = ada.driver.recent(before)
    assert (seen.media, seen.text, seen.kind) == (media, "At the sea.", "image")
    assert before <= seen.at <= ada.now()
    assert ada.driver.link(media).startswith("https://www.instagram.com/p/")
    assert not ada.driver.commented(media, "More tomorrow.")
    ada.driver.comment(media, "More tomorrow.")
    assert ada.driver.commented(media, "More tomorrow.")
    [post] = ada.account.posts
    assert [comment.text for comment in post.comments] == ["More tomorrow."]


def test_a_carousel_is_a_container_more_than_its_pictures(ada: Ada) -> None:
    parcel = ada.parcel("carousel", ada.shot("one", "A boat."), ada.shot("two"), ada.shot("three"))
    container = ada.ready(parcel)
    made = ada.graph.truth.containers[container]
    assert made.params.keys() == {"media_type", "children", "caption", "is_ai_generated"}
    assert [child.params.get("alt_text") for child in made.children] == ["A boat.", None, None]
    # A part that were labelled would be refused.
    assert all(child.params.keys() <= {"image_url", "is_carousel_item", "alt_text"} for child in made.children)
    media = ada.driver.publish(container)
    assert [(seen.media, seen.kind) for seen in ada.driver.recent(ada.now() - timedelta(hours=1))] == [
        (media, "carousel")
    ]


def test_a_story_has_no_words_and_is_found_all_the_same(ada: Ada) -> None:
    container = ada.ready(ada.parcel("story", text=""))
    params = ada.graph.truth.containers[container].params
    assert (params["media_type"], "caption" in params, params["is_ai_generated"]) == ("STORIES", False, "true")
    media = ada.driver.publish(container)
    assert [(seen.media, seen.kind) for seen in ada.driver.recent(ada.now() - timedelta(hours=1))] == [(media, "story")]


@pytest.mark.parametrize("kind", ["image", "story", "carousel"])
def test_a_label_that_is_not_wanted_is_not_spoken_of(ada: Ada, kind: str) -> None:
    parcel = ada.parcel(kind, *(ada.shot(name) for name in ("one", "two")[: 2 if kind == "carousel" else 1]))
    container = ada.ready(Parcel(1, kind, parcel.text, parcel.shots, labelled=False))
    assert "is_ai_generated" not in ada.graph.truth.containers[container].params


def test_the_list_is_read_as_far_back_as_it_is_asked_for(ada: Ada) -> None:
    old = [ada.driver.publish(ada.ready(ada.parcel(text=f"Old {number}"))) for number in range(2)]
    ada.graph.clock.advance(DAY)
    since = ada.now()
    ada.account.posts_a_day, ada.account.containers_a_day = 1000, 1000
    new = [ada.driver.publish(ada.ready(ada.parcel(text=f"New {number}"))) for number in range(60)]
    calls = len(ada.graph.truth.calls)
    found = [seen.media for seen in ada.driver.recent(since)]
    assert found[:60] == new[::-1], "the newest first, and all of them"
    assert set(found[60:]) <= set(old)
    assert len(ada.graph.truth.calls) - calls == 3, "two pages of fifty, and one of stories"


def test_what_a_post_shows_is_known_again() -> None:
    with Shelf() as shelf, Graph() as graph:
        graph.clock.factor = 1.0
        ada = Ada(graph)
        image = Image.effect_mandelbrot((640, 640), (-2, -1.5, 1, 1.5), 100).convert("RGB")
        buffer = BytesIO()
        image.save(buffer, "JPEG", quality=95)
        ada.addresses["one"] = shelf.put("one.jpg", buffer.getvalue())
        ada.driver.publish(ada.ready(ada.parcel()))
        [seen] = ada.driver.recent(ada.now() - timedelta(hours=1))
        shown, ours = ada.driver.look(seen), look_of(image)
        assert sum((one ^ other).bit_count() for one, other in zip(shown, ours, strict=True)) < len(ours)
        ada.client.close()


def test_a_picture_that_cannot_be_fetched_takes_a_fresh_address() -> None:
    with Shelf() as shelf, Graph() as graph:
        ada = Ada(graph)
        ada.addresses["one"] = shelf.put("gone.jpg", 404)
        with pytest.raises(Refused) as refused:
            ada.driver.whole(ada.parcel(), [])
        assert refused.value.do is ANEW
        ada.addresses["one"] = shelf.put("odd.jpg", picture(1080, 1400))
        with pytest.raises(Refused) as refused:
            ada.driver.whole(ada.parcel(), [])
        assert refused.value.do is MEND
        ada.client.close()


def test_a_clip_is_uploaded_from_where_the_last_try_ended(ada: Ada, tmp_path: Path) -> None:
    said = {"media_type": "REELS", "upload_type": "resumable", "caption": "A walk."}
    container = ada.client.post(f"{ada.account.id}/media", **said)["id"]
    data, file = clip(), tmp_path / "clip.mp4"
    file.write_bytes(data)
    ada.graph.faults.once("upload", Plan(before="cut"))
    with pytest.raises(Lost):
        ada.client.upload(container, file)
    there = ada.client.get(container, fields="video_status")["video_status"]["uploading_phase"]["bytes_transferred"]
    assert 0 < there < len(data)
    assert ada.client.upload(container, file, there)["success"] is True
    ada.graph.clock.advance(HOUR)
    assert ada.driver.stands(container).standing is Standing.FINISHED
    ada.driver.publish(container)
    assert [seen.kind for seen in ada.driver.recent(ada.now() - timedelta(hours=1))] == ["reel"]


def test_how_many_posts_are_left_of_a_day() -> None:
    with Graph(options=Options(check_files=False)) as graph:
        graph.clock.factor = 1.0
        ada, sam = Ada(graph, "facebook"), Ada(graph)
        ada.driver.publish(ada.ready(ada.parcel()))
        assert ada.driver.room() == 99
        with pytest.raises(Refused):
            sam.driver.room()
        graph.options.limit_on_instagram = True
        assert sam.driver.room() == 100
        ada.client.close()
        sam.client.close()


# Before the token, so that the cut falls behind it, into its middle, or a few letters after its beginning.
@pytest.mark.parametrize("filler", [1, 90, 115])
def test_the_words_of_an_error_are_hushed_before_they_are_cut(filler: int) -> None:
    token = "IGAA" + "q7Zr" * 20
    with Echo(filler) as echo:
        client = Client(token, "v26.0", echo.url, echo.url)
        with pytest.raises(Refused) as refused:
            client.get("17841", fields="username")
        client.close()
        assert token in echo.heard[0]
    assert "IGAAq7" not in str(refused.value)
    assert "Bearer …" in str(refused.value)
    assert (refused.value.code, refused.value.subcode) == (190, None), "a code that is no number is none"


def test_parts_of_secrets_are_hushed_too() -> None:
    assert hushed("Bad: IGAAq7Zrq7Zr, see docs", ("IGAA" + "q7Zr" * 20,)) == "Bad: …, see docs"
    assert hushed("nothing here", ("",)) == "nothing here"


def test_no_secret_stands_in_a_log_or_an_exception(ada: Ada, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx").setLevel(logging.DEBUG)
    secret, code = "an-app-secret-of-somebody", "AQcode" * 6
    said: list[str] = []
    with Echo() as echo:
        client = Client(ada.token, "v26.0", echo.url, echo.url)
        calls: tuple[Callable[[], object], ...] = (
            lambda: client.get("me", fields="id"),
            lambda: client.post("1/media_publish", creation_id="2"),
            lambda: client.renew("access_token", secret=secret, grant_type="ig_exchange_token"),
            lambda: client.redeem("oauth/access_token", hidden=(secret, code), client_secret=secret, code=code),
            lambda: client.upload("1", Path(__file__)),
        )
        for call in calls:
            with pytest.raises(Refused) as refused:
                call()
            said += [str(refused.value), repr(refused.value.args), str(refused.value.__cause__)]
        client.close()
        assert sum(ada.token in heard for heard in echo.heard) >= 4
        assert any(secret in heard and code in heard for heard in echo.heard)
    nobody = Client(ada.token, "v26.0", "http://127.0.0.1:9", timeout=1)
    with pytest.raises(Lost) as lost:
        nobody.renew("refresh_access_token", secret=secret)
    nobody.close()
    everything = " ".join([*said, str(lost.value), str(lost.value.__cause__), caplog.text])
    assert caplog.records, "something was logged at all"
    assert not [each for each in (ada.token, secret, code) if each in everything]


def test_an_odd_answer_is_none(ada: Ada) -> None:
    class Odd(Client):
        answer: dict[str, object]

        def get(self, path: str, **asked: object) -> dict[str, object]:
            return self.answer

        def post(self, path: str, **said: object) -> dict[str, object]:
            return self.answer

    client = Odd(ada.token, "v26.0")
    driver = Instagram(client, "1", lambda shot: "https://a.example/b.jpg")
    for number in (None, 5, "", "../me", "1" * 201):
        client.answer = {"id": number}
        with pytest.raises(Lost):
            driver.publish("2")
    client.answer = {"status_code": "DANCING"}
    with pytest.raises(Lost):
        driver.stands("2")
    client.answer = {"permalink": "javascript:alert(1)"}
    assert driver.link("2") == ""
    client.answer = {"data": "none"}
    assert driver.recent(datetime.now(UTC)) == []
    assert driver.room() is None
    client.answer = {"data": [{"media_product_type": "FEED", "timestamp": "2026-11-22T12:00:00+0000"}]}
    with pytest.raises(Lost, match="names nothing"):
        driver.recent(datetime.now(UTC))
    client.close()
