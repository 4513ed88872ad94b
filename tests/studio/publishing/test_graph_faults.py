"""Each fault of the test's Graph API happens, and its ledger says what really came of it."""

import asyncio
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.studio.publishing.graph import Clock, Graph, Options, Plan
from tests.studio.publishing.graph_caller import AT, Caller, error
from tests.studio.publishing.graph_errors import Refusal
from tests.studio.publishing.graph_faults import Faults
from tests.studio.publishing.graph_samples import clip

HASTY, PATIENT = httpx.Timeout(0.2), httpx.Timeout(20)


@pytest.fixture
def ada() -> Iterator[Caller]:
    with Graph(seed=1, clock=Clock(1), options=Options(check_files=False)) as graph:
        graph.faults.delay = 0.6
        yield Caller(graph)


def live(ada: Caller, caption: str) -> int:
    return len(ada.graph.truth.posts_with(caption))


def until(true: Callable[[], bool]) -> None:
    """Soon, however busy the machine is."""
    ends = time.monotonic() + 20
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.02)


# Before a request is handled


def test_a_reset_request_was_not_handled(ada: Caller) -> None:
    name = ada.ready(image_url=AT, caption="Here")
    ada.graph.faults.once("publish", Plan(before="reset"))
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        ada.publish(name)
    assert (live(ada, "Here"), ada.status(name)) == (0, "FINISHED")
    [line] = ada.graph.truth.calls_of("publish")
    assert (line.fault, line.outcomes, line.made, line.answered) == ("reset", [], [], None)


@pytest.mark.parametrize("status", ["500", "502", "503"])
@pytest.mark.parametrize("after", [False, True])
def test_a_proxys_error_says_nothing_of_what_was_done(ada: Caller, status: str, after: bool) -> None:
    name = ada.ready(image_url=AT, caption="Here")
    ada.graph.faults.once("publish", Plan(after=status) if after else Plan(before=status))
    answer = ada.publish(name)
    assert answer.status_code == int(status)
    assert answer.headers["content-type"].startswith("text/html")
    assert live(ada, "Here") == after


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("1", 500),
        ("2", 500),
        ("4", 403),
        ("17", 403),
        ("190/463", 401),
        ("190", 401),
        ("9/2207042", 403),
        ("4/2207051", 403),
        ("2207001", 400),
        ("2207003", 400),
        ("2207032", 400),
        ("2207053", 400),
        ("2207008", 400),
        ("2207052", 400),
        ("200", 403),
        ("368", 403),
    ],
)
def test_an_error_of_the_page_comes_in_its_envelope(ada: Caller, name: str, status: int) -> None:
    ready = ada.ready(image_url=AT, caption="Here")
    ada.graph.faults.once("publish", Plan(before=name))
    answer = ada.publish(ready)
    assert (answer.status_code, error(answer)) == (status, Refusal(name).name)
    found = answer.json()["error"]
    texts = {"message", "type", "error_user_title", "error_user_msg", "fbtrace_id"}
    assert found.keys() - {"error_subcode"} == texts | {"code", "is_transient"}
    assert all(isinstance(found[text], str) and found[text] for text in texts)
    assert ("x-business-use-case-usage" in answer.headers) == (name in {"4", "17"})
    assert (live(ada, "Here"), ada.status(ready)) == (0, "FINISHED")


def test_an_error_after_success_is_a_lie(ada: Caller) -> None:
    name = ada.ready(image_url=AT, caption="Here")
    ada.graph.faults.once("publish", Plan(after="4/2207051"))
    assert error(ada.publish(name)) == "4/2207051"
    assert (live(ada, "Here"), ada.status(name)) == (1, "PUBLISHED")


def test_who_is_told_to_wait_is_told_so_until_the_time_has_passed(ada: Caller) -> None:
    ada.graph.faults.rest = 7
    ada.graph.faults.once("posts", Plan(before="4"))
    for path in ("/me/media", "/me"):
        answer = ada.get(path)
        assert error(answer) == "4"
        [usage] = json.loads(answer.headers["x-business-use-case-usage"])["app"]
        assert usage["estimated_time_to_regain_access"] == 7
    ada.graph.clock.advance(7 * 60)
    assert ada.get("/me/media").status_code == 200


def test_a_stuck_request_is_handled_after_its_client_gave_up(ada: Caller) -> None:
    name = ada.ready(image_url=AT, caption="Here")
    ada.graph.faults.once("publish", Plan(before="stuck"))
    ada.client.timeout = HASTY
    with pytest.raises(httpx.ReadTimeout):
        ada.publish(name)
    assert live(ada, "Here") == 0
    until(lambda: live(ada, "Here") == 1)
    ada.client.timeout = PATIENT
    assert ada.status(name) == "PUBLISHED"
    [line] = ada.graph.truth.calls_of("publish")
    assert (line.outcomes, line.answered) == (["ok"], None)


# After it was handled


@pytest.mark.parametrize("fault", ["lost", "hung", "late"])
def test_an_answer_that_does_not_arrive_says_nothing_of_what_was_done(ada: Caller, fault: str) -> None:
    name = ada.ready(image_url=AT, caption="Here")
    ada.graph.faults.once("publish", Plan(after=fault))
    errors = (httpx.ReadError, httpx.RemoteProtocolError) if fault == "lost" else (httpx.ReadTimeout,)
    ada.client.timeout = HASTY
    with pytest.raises(errors):
        ada.publish(name)
    ada.client.timeout = PATIENT
    assert (live(ada, "Here"), ada.status(name)) == (1, "PUBLISHED")
    [line] = ada.graph.truth.calls_of("publish")
    assert (line.outcomes, line.about, line.answered) == (["ok"], name, None)
    assert line.made == [ada.graph.truth.posts_with("Here")[0].id]


def test_a_late_answer_arrives_for_who_waits(ada: Caller) -> None:
    name = ada.ready(image_url=AT)
    ada.graph.faults.once("publish", Plan(after="late"))
    began = time.monotonic()
    assert ada.publish(name).status_code == 200
    assert time.monotonic() - began >= ada.graph.faults.delay


def test_a_silent_connection_is_cut_in_the_end(ada: Caller) -> None:
    ada.graph.faults.silence = 0.1
    ada.graph.faults.once("account", Plan(after="hung"))
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        ada.get("/me")


# Twice, stale, dead and failed


@pytest.mark.parametrize("second", [False, True])
def test_a_request_that_arrives_twice_publishes_once(ada: Caller, second: bool) -> None:
    name = ada.ready(image_url=AT, caption="Here")
    ada.graph.faults.once("publish", Plan(twice=True, second=second))
    assert (ada.publish(name).status_code == 200) != second
    assert live(ada, "Here") == 1
    [line] = ada.graph.truth.calls_of("publish")
    assert line.outcomes[0] == "ok"
    assert line.outcomes[1] != "ok"


def test_a_creation_that_arrives_twice_makes_two_containers(ada: Caller) -> None:
    ada.graph.faults.once("create", Plan(twice=True, second=True))
    name = ada.made(image_url=AT)
    assert list(ada.graph.truth.containers)[1] == name
    assert len(ada.account.made) == 2


def test_the_cruel_mode_makes_two_posts_of_a_publish_that_arrives_twice(ada: Caller) -> None:
    ada.graph.options.doubles = True
    name = ada.ready(image_url=AT, caption="Here")
    ada.graph.faults.once("publish", Plan(twice=True))
    ada.publish(name)
    assert [len(same) for same in ada.graph.truth.doubles()] == [2]


def test_a_stale_read_shows_what_was(ada: Caller) -> None:
    faults, clock = ada.graph.faults, ada.graph.clock
    name = ada.ready(image_url=AT)
    media = ada.publish(name).json()["id"]
    faults.once("status", Plan(stale=60))
    assert ada.status(name) == "FINISHED"
    faults.once("status", Plan(stale=3600))
    assert error(ada.get(f"/{name}")) == "100/33"
    faults.once("posts", Plan(stale=60))
    assert ada.get(f"/{ada.account.id}/media").json()["data"] == []
    faults.once("media", Plan(stale=60))
    assert error(ada.get(f"/{media}")) == "100/33"
    clock.advance(120)
    faults.once("posts", Plan(stale=60))
    assert [row["id"] for row in ada.get(f"/{ada.account.id}/media").json()["data"]] == [media]
    ada.post(f"/{media}/comments", message="First")
    faults.once("comments", Plan(stale=60))
    assert [len(ada.get(f"/{media}/comments").json()["data"]) for _ in range(2)] == [0, 1]


def test_a_container_may_die_whose_post_is_live_later(ada: Caller) -> None:
    name = ada.ready(image_url=AT, caption="Here")
    ada.graph.faults.once("publish", Plan(dies="2207032"))
    assert error(ada.publish(name)) == "-1/2207032"
    row = ada.get(f"/{name}", fields="status_code,status").json()
    assert (row["status_code"], "2207032" in row["status"]) == ("ERROR", True)
    [post] = ada.graph.truth.posts_with("Here")
    assert 0 < post.live - ada.graph.clock.now() < ada.graph.faults.late_most
    path = f"/{ada.account.id}/media"
    assert ada.get(path).json()["data"] == []
    ada.graph.clock.advance(ada.graph.faults.late_most)
    assert [row["id"] for row in ada.get(path).json()["data"]] == [post.id]
    assert error(ada.publish(name)) == "-1/2207032"
    assert live(ada, "Here") == 1


def test_a_container_may_fail(ada: Caller) -> None:
    ada.graph.faults.set("create", fails={"2207053": 1.0})
    name = ada.made(image_url=AT)
    ada.graph.clock.advance(60)
    row = ada.get(f"/{name}", fields="status_code,status").json()
    assert (row["status_code"], "2207053" in row["status"]) == ("ERROR", True)
    assert error(ada.publish(name)) == "-1/2207053"


@pytest.mark.parametrize("by_fault", [False, True])
def test_what_had_come_of_an_upload_stays(ada: Caller, by_fault: bool) -> None:
    data = clip()
    name = ada.made(upload_type="resumable", media_type="REELS")
    if by_fault:
        ada.graph.faults.once("upload", Plan(before="cut"))
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError)):
            ada.upload(name, data)
        sent = len(data) // 2
    else:
        sent = _hung_up(ada, name, data)
    phase = ada.get(f"/{name}", fields="video_status").json()["video_status"]["uploading_phase"]
    assert phase["bytes_transferred"] == sent
    assert ada.upload(name, data[sent:], sent, len(data)).status_code == 200
    assert bytes(ada.graph.truth.containers[name].uploaded or b"") == data


def _hung_up(ada: Caller, name: str, data: bytes) -> int:
    """A client that goes away in the middle of what it sends."""

    async def send() -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", ada.graph.port)
        about = f"Authorization: OAuth {ada.token}\r\noffset: 0\r\nfile_size: {len(data)}\r\n"
        head = f"POST /ig-api-upload/v26.0/{name} HTTP/1.1\r\n{about}Content-Length: {len(data)}\r\n\r\n"
        writer.write(head.encode() + data[:500])
        writer.close()
        await writer.wait_closed()

    asyncio.run(send())
    until(lambda: len(ada.graph.truth.containers[name].uploaded or b"") == 500)
    return 500


@pytest.mark.parametrize("careful", [False, True])
def test_who_answers_a_lost_answer_with_a_new_post_is_caught(ada: Caller, careful: bool) -> None:
    def tried(name: str) -> bool:
        try:
            return ada.publish(name).status_code == 200
        except httpx.TransportError:
            return careful and ada.status(name) == "PUBLISHED"

    def post(caption: str) -> None:
        name = ada.ready(image_url=AT, caption=caption)
        while not tried(name):
            name = name if careful else ada.ready(image_url=AT, caption=caption)

    ada.graph.faults.set("publish", before={"reset": 0.2, "502": 0.1}, after={"lost": 0.3})
    for number in range(30):
        post(f"Number {number}")
    assert all(live(ada, f"Number {number}") for number in range(30))
    assert bool(ada.graph.truth.doubles()) != careful


# How often


def test_faults_come_from_one_seed_as_often_as_was_said() -> None:
    def drawn(seed: int) -> list[Plan]:
        faults = Faults(seed)
        faults.set("publish", before={"reset": 0.1, "2207001": 0.1}, after={"lost": 0.2}, twice=0.05, dies=0.05)
        faults.set("*", before={"502": 1.0}, stale=0.5)
        return [faults.plan("publish") for _ in range(4000)] + [faults.plan("status") for _ in range(1000)]

    plans = drawn(3)
    assert plans == drawn(3)
    assert plans != drawn(4)
    found = Counter((plan.before, plan.after) for plan in plans[:4000])
    assert 300 < sum(number for (before, _), number in found.items() if before == "reset") < 500
    assert 650 < sum(number for (_, after), number in found.items() if after == "lost") < 950
    assert 120 < sum(plan.twice for plan in plans) < 280
    assert {plan.before for plan in plans[4000:]} == {"502"}
    stale = [plan.stale for plan in plans[4000:] if plan.stale]
    assert 400 < len(stale) < 600
    assert max(stale) <= Faults().stale_most
    assert not any(plan.stale for plan in plans[:4000])


def test_faults_are_counted_and_cleared(ada: Caller) -> None:
    ada.graph.faults.set("*", before={"503": 1.0})
    assert ada.get("/me").status_code == 503
    assert ada.graph.faults.happened["account", "before 503"] == 1
    ada.graph.faults.clear()
    assert ada.get("/me").status_code == 200


@pytest.mark.parametrize("before", [{"2207999": 0.1}, {"5": 0.1}, {"late": 0.1}, {"reset": 0.6, "500": 0.6}])
def test_a_fault_that_there_is_not_is_no_fault(before: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Faults().set("publish", before=before)


# Hooks, ledger, clock


def test_a_hook_is_told_of_every_phase(ada: Caller) -> None:
    told: list[tuple[str, str]] = []
    ada.graph.on_call = lambda name, phase, request: told.append((name, phase))
    name = ada.ready(video_url=AT, media_type="REELS")
    assert told[:6] == [(call, phase) for call in ("create", "status") for phase in ("before", "handled", "answered")]
    for plan in (Plan(before="reset"), Plan(after="lost")):
        told.clear()
        ada.graph.faults.once("publish", plan)
        with pytest.raises(httpx.HTTPError):
            ada.publish(name)
        assert told == [("publish", phase) for phase in (["before"] if plan.before else ["before", "handled"])]


def test_a_hooks_mistake_is_the_tests() -> None:
    def wrong(*_: object) -> None:
        raise LookupError("of the hook")

    def call() -> None:
        with Graph() as graph:
            graph.on_call = wrong
            with pytest.raises(httpx.HTTPError):
                Caller(graph).get("/me")

    with pytest.raises(LookupError, match="of the hook"):
        call()


_CLIENT = """
import sys, urllib.parse, urllib.request
url, token, name = sys.argv[1:]
data = urllib.parse.urlencode({"access_token": token, "creation_id": name}).encode()
urllib.request.urlopen(f"{url}/v26.0/me/media_publish", data=data).read()
print("answered")
"""


@pytest.mark.parametrize("phase", ["before", "handled"])
def test_a_hook_may_kill_whoever_asks(ada: Caller, phase: str) -> None:
    name = ada.ready(image_url=AT, caption="Here")
    asking: list[subprocess.Popen[bytes]] = []
    begun = threading.Event()

    def kill(_: str, now: str, __: object) -> None:
        begun.wait(20)
        if now == phase:
            os.kill(asking[0].pid, signal.SIGKILL)
            asking[0].wait()

    ada.graph.on_call = kill
    command = [sys.executable, "-c", _CLIENT, ada.graph.instagram_url, ada.token, name]
    asking.append(subprocess.Popen(command, stdout=subprocess.PIPE))
    begun.set()
    assert asking[0].communicate()[0] == b""
    assert asking[0].returncode == -signal.SIGKILL
    ada.graph.on_call = None
    assert live(ada, "Here") == 1


def test_the_ledger_has_every_call_and_what_came_of_it(ada: Caller) -> None:
    name = ada.ready(image_url=AT, caption="Here")
    ada.create(image_url=AT, caption="c" * 2201)
    media = ada.publish(name).json()["id"]
    truth = ada.graph.truth
    rows = [(call.name, call.about, call.outcomes, call.made, call.answered) for call in truth.calls]
    account = ada.account.id
    assert rows == [
        ("create", account, ["ok"], [name], 200),
        ("status", name, ["ok"], [], 200),
        ("create", account, ["36004/2207010"], [], 400),
        ("publish", name, ["ok"], [media], 200),
    ]
    assert truth.calls[0].caption == truth.calls[3].caption == "Here"
    assert [call.number for call in truth.calls] == [0, 1, 2, 3]
    assert truth.calls_of("publish") == [truth.calls[3]]
    assert ada.token not in repr(truth.calls)


def test_the_clock_is_scaled_and_jumps() -> None:
    clock = Clock(factor=600, origin=1000)
    began = time.monotonic()
    time.sleep(0.02)
    assert 12 <= clock.now() - 1000 <= (time.monotonic() - began) * 600 + 60
    clock.advance(86400)
    assert clock.now() > 87400
    assert clock.real(600) == 1


def test_another_process_may_have_the_clock() -> None:
    clock = Clock(factor=600, origin=1000)
    command = "import pickle, sys; print(pickle.loads(bytes.fromhex(sys.argv[1])).now())"
    before = clock.now()
    shown = subprocess.check_output([sys.executable, "-c", command, pickle.dumps(clock).hex()])
    assert before < float(shown) < clock.now()


def test_a_container_passes_through_its_states_by_itself() -> None:
    with Graph(clock=Clock(600), options=Options(check_files=False, image_delay=120)) as graph:
        ada = Caller(graph)
        name = ada.made(image_url=AT)
        seen: list[str] = []
        while not seen or seen[-1] == "IN_PROGRESS":
            seen.append(ada.status(name))
        assert (seen[0], seen[-1]) == ("IN_PROGRESS", "FINISHED")


def test_many_clients_at_once_are_answered_in_full(ada: Caller) -> None:
    name = ada.ready(image_url=AT, caption="Here")
    answers: list[int] = []

    def ask() -> None:
        other = Caller(ada.graph, account=ada.account)
        answers.extend(other.publish(name).status_code for _ in range(20))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(answers) == {200: 1, 400: 159}
    assert live(ada, "Here") == 1


def test_requests_sent_without_waiting_are_answered_in_order(ada: Caller) -> None:
    async def ask() -> list[str]:
        reader, writer = await asyncio.open_connection("127.0.0.1", ada.graph.port)
        paths = [ada.account.id, "me/media", "me/stories"] * 10
        writer.write("".join(f"GET /{path}?access_token={ada.token} HTTP/1.1\r\n\r\n" for path in paths).encode())
        found = []
        for _ in paths:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            size = int(head.partition("content-length: ")[2].partition("\r\n")[0])
            found.append((await reader.readexactly(size)).decode())
        writer.close()
        return found

    answers = asyncio.run(ask())
    assert answers == [json.dumps({"id": ada.account.id}), '{"data": []}', '{"data": []}'] * 10


def test_a_core_answers_more_than_1500_requests_a_second(ada: Caller) -> None:
    async def used() -> float:
        return time.thread_time()

    name = ada.ready(image_url=AT)
    line = f"GET /graph.instagram.com/v26.0/{name}?fields=status_code%2Cstatus&access_token={ada.token} HTTP/1.1"
    request = f"{line}\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n".encode()

    async def ask(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", ada.graph.port)
        for _ in range(number):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0]))
        writer.close()

    before = ada.graph.do(used())
    asyncio.run(ask(2000))
    assert 2000 / (ada.graph.do(used()) - before) > 1500
