"""A server that fails in every way it can: every work ends with its own picture, none is called done that is not."""

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from tests.engines.comfyui.faulty import Comfy, Faults, picture
from zoetrope.engines.comfyui.addresses import found
from zoetrope.engines.comfyui.client import Client, Refused
from zoetrope.engines.comfyui.drawing import Patience, draw, names_of
from zoetrope.engines.engine import Cancelled, EngineLost

JOBS, HANDS = 500, 4
QUICK = Patience(listen=0.02, look=0.2, again=0.05, away=2, stuck=1.0, connect=2)
ALL = Faults(
    lost_answer=0.01,
    lost_request=0.01,
    cut=0.01,
    delay=0.02,
    lost_message=0.05,
    twice=0.05,
    dropped_listener=0.005,
    restart=0.003,
    silent=0.005,
    error=0.01,
)


def graph(number: int) -> dict[str, Any]:
    return {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": number}},
        "2": {"class_type": "SlowSteps", "inputs": {"image": ["1", 0], "steps": 2}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "t/x"}},
    }


def carried_out(client: Client, number: int) -> tuple[int, list[bytes]]:
    """As a job does: what may succeed another time is tried another time."""
    faults: list[str] = []
    for attempt in range(1, 60):
        try:
            return attempt, draw(client, graph(number), f"job-{number}", patience=QUICK)
        except EngineLost as error:
            faults.append(str(error))
            time.sleep(0.1)
        except Refused as error:
            faults.append(str(error))
            if "out of memory" not in str(error):
                break
    raise AssertionError(f"job {number} never came to its end: {faults}")


def test_five_hundred_works_survive_whatever_a_server_does() -> None:
    with Comfy(ALL, seed=5) as server:
        assert isinstance(server, Comfy)
        address = found(server.url, near=True)
        local = threading.local()

        def work(number: int) -> tuple[int, list[bytes]]:
            if not hasattr(local, "client"):
                local.client = Client(address, timeout=2)
            return carried_out(local.client, number)

        with ThreadPoolExecutor(HANDS) as pool:
            ended = list(pool.map(work, range(JOBS)))
    # Each has one picture, and it is its own.
    assert [files for _, files in ended] == [[picture(graph(number))] for number in range(JOBS)]
    # Faults of every kind did happen.
    assert {each.name for each in fields(Faults)} == {what for what, often in server.happened.items() if often}
    assert sum(attempts > 1 for attempts, _ in ended) > 20
    # None was drawn twice, but where the server had forgotten that it had drawn it.
    assert max(Counter(server.drawn).values()) == 1


def test_whoever_begins_again_finds_what_the_server_has() -> None:
    with Comfy(step=0.05) as server:
        assert isinstance(server, Comfy)
        client = Client(found(server.url, near=True))
        first, second = names_of("crashed"), names_of("drawn")
        client.submit(graph(1), next(first), "somebody-who-died")
        assert draw(client, graph(1), "crashed", patience=QUICK) == [picture(graph(1))]
        assert draw(client, graph(2), "drawn", patience=QUICK) == draw(client, graph(2), "drawn", patience=QUICK)
        assert (next(second), 0) in server.drawn
        assert len(server.drawn) == 2


@pytest.mark.parametrize("waits", [False, True])
def test_cancelling_takes_it_off_the_server(waits: bool) -> None:
    with Comfy(step=0.5) as server:
        assert isinstance(server, Comfy)
        client = Client(found(server.url, near=True))
        if waits:
            client.submit(graph(7), "another", "another")
        asked = iter(range(10**6))
        with pytest.raises(Cancelled):
            draw(client, graph(1), "mine", cancel=lambda: next(asked) > 20, patience=QUICK)
        queue = client.queue()
        while next(names_of("mine")) in queue.running:
            queue = client.queue()
        assert next(names_of("mine")) not in queue.pending
        assert ("another" in queue.running + queue.pending) == waits or ("another", 0) in server.drawn


def test_a_server_that_is_not_there_is_no_mistake_of_the_user() -> None:
    with Comfy() as server:
        address = found(server.url, near=True)
    with pytest.raises(EngineLost, match="does not answer"):
        draw(Client(address), graph(1), "key", patience=QUICK)


def test_pictures_are_what_they_were() -> None:
    with Comfy() as server:
        client = Client(found(server.url, near=True))
        data = draw(client, graph(random.Random(1).randrange(1000)), "key", patience=QUICK)[0]
    assert Image.open(BytesIO(data)).size == (16, 16)
