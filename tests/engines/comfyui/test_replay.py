"""Recorded conversations with a real server, played to our client over a real socket: it comes to the right verdict."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.engines.comfyui.replay import Replay, recordings
from zoetrope.engines.comfyui.addresses import found
from zoetrope.engines.comfyui.client import Client
from zoetrope.engines.comfyui.drawing import Lost, Patience, Told, draw, names_of
from zoetrope.engines.comfyui.workflow import checked
from zoetrope.engines.engine import Cancelled
from zoetrope.errors import UserError

QUICK = Patience(listen=0.02, look=0.1, again=0.15, away=10, stuck=30)
LOST = "knows nothing of this any more"

VERDICTS: dict[str, list[str]] = {
    "00_server_info": [],
    "01_invert_ok": ["1 drawn", "1 drawn", "1 drawn"],
    "02_loadimage_scale": ["1 drawn"],
    "03_invalid_prompts": [
        "node 1 (EmptyImage): Value 0 smaller than min of 1: width.",
        "node 1 (EmptyImage): Required input is missing: height.",
        "node 1 (EmptyImage): Failed to convert an input value to a INT value: width, wide",
        "node 2 (ImageScale): Value not in list: upscale_method: 'magic'",
        "node 1 (CheckpointLoaderSimple): Value not in list: ckpt_name: 'nosuch.safetensors'",
        "node 1 (LoadImage): Custom validation failed for node: image - Invalid image file: gone.png.",
        "node 2 (ImageInvert): Exception when validating inner node: '99'.",
        "node 2 (ImageInvert): Exception when validating inner node: tuple index out of range.",
        "node 2 (ImageInvert): Return type mismatch between linked nodes",
        "this workflow: Prompt has no outputs.",
        "this workflow: Cannot execute because a node is missing the class_type property. Node ID '#1'.",
        "node 1 (EmptyImage): Exception when validating inner node: 'inputs'.",
        "this workflow: Cannot execute because node NoSuchNode does not exist. Node ID '#2'.",
        "this workflow: Prompt has no outputs.",
        "this workflow: Prompt outputs failed validation.",
        # Answered 200: the rest of it would have been drawn, and was.
        "node 5 (LoadImage): Custom validation failed for node: image - Invalid image file: gone.png.",
    ],
    "04_execution_error": [
        "failed at node 1 (LoadImage): cannot identify image file",
        "failed at node 2 (SlowSteps): deliberate failure at step 2",
        "1 drawn",
    ],
    "05_previews_progress": ["1 drawn"],
    "07_interrupt_running": ["Somebody stopped it in ComfyUI.", "1 drawn"],
    "08_interrupt_no_progress_node": ["Somebody stopped it in ComfyUI."],
    "09_queue_delete_pending": ["1 drawn", LOST, "1 drawn", LOST, "1 drawn"],
    "10_duplicate_prompt_id": ["1 drawn", "1 drawn", "1 drawn", "1 drawn", "1 drawn", "answered 500"],
    "12_reconnect_same_client_id": ["1 drawn"],
    "14_job_finishes_while_away": ["1 drawn"],
    "15_server_killed_midway": [LOST, LOST, "1 drawn"],
    "17_cached_output_file_deleted": ["1 drawn", "has lost the picture that it had drawn", "1 drawn"],
    "18_batch_preview_paths": ["3 drawn", "Saving image outside the output folder is not allowed", "1 drawn"],
    "19_new_lora_appears_without_restart": [],
    "23_poll_only_client": ["1 drawn"],
}


@contextmanager
def replaying(name: str) -> Iterator[tuple[Replay, Client]]:
    with Replay(name) as server:
        assert isinstance(server, Replay)
        client = Client(found(server.url, near=True))
        yield server, client
        client.close()


def test_every_recording_is_played() -> None:
    assert sorted(VERDICTS) == recordings()


@pytest.mark.parametrize("name", sorted(VERDICTS))
def test_the_verdict_is_right(name: str) -> None:
    said = []
    with replaying(name) as (server, client):
        for number, script in enumerate(server.scripts):
            try:
                said.append(f"{len(draw(client, script.graph, f'{name}/{number}', patience=QUICK))} drawn")
            except UserError as error:
                said.append(str(error))
    assert len(said) == len(VERDICTS[name])
    for told, wanted in zip(said, VERDICTS[name], strict=True):
        assert wanted in told


def test_progress_and_previews_are_told() -> None:
    heard: list[Told] = []
    # It is not asked before it says that it has ended, which on a busy machine comes late.
    patience = replace(QUICK, look=20)
    with replaying("05_previews_progress") as (server, client):
        draw(client, server.scripts[0].graph, "preview", heard.append, patience=patience)
    shares = [told.share for told in heard]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len({share for share in shares if 0 < share < 1}) >= 3
    previews = {told.preview for told in heard} - {None}
    assert len(previews) == 3
    assert all(preview is not None and preview.startswith(b"\xff\xd8\xff") for preview in previews)


def test_what_ends_without_a_word_is_told_to_the_end() -> None:
    heard: list[Told] = []
    with replaying("23_poll_only_client") as (server, client):
        draw(client, server.scripts[0].graph, "polled", heard.append, patience=QUICK)
    assert heard[-1] == Told(1.0, None, waits=False)


def test_whoever_cancels_stops_their_own_work_and_no_others() -> None:
    with replaying("08_interrupt_no_progress_node") as (server, client):
        begun: list[Told] = []
        with pytest.raises(Cancelled):
            draw(client, server.scripts[0].graph, "mine", begun.append, lambda: len(begun) > 0, QUICK)
        mine = next(names_of("mine"))
        asked = [
            (each.path, each.said) for each in server.requests if each.path in ("/queue", "/interrupt") and each.body
        ]
    assert asked == [("/queue", {"delete": [mine]}), ("/interrupt", {"prompt_id": mine})]


def test_no_request_says_where_it_comes_from() -> None:
    with replaying("01_invert_ok") as (server, client):
        draw(client, server.scripts[0].graph, "key", patience=QUICK)
        # ComfyUI refuses other sites' pages by their Origin; a program sends none.
        assert all("origin" not in each.headers for each in server.requests)


def test_a_server_says_what_it_is_and_what_it_has() -> None:
    with replaying("00_server_info") as (_, client):
        assert client.about() == "0.3.64"
        assert client.kind("LoraLoader") is not None
        assert client.kind("NoSuchNode") is None
    with replaying("19_new_lora_appears_without_restart") as (server, client):
        assert client.loras() == []
        server.rows.remove(next(row for row in server.rows if row.get("path") == "/models/loras"))
        assert client.loras() == ["personas/ada/v1.safetensors"]
        assert client.lora_words("personas/ada/v1.safetensors")["modelspec.title"] == "Ada v1"


def test_a_restart_is_no_end() -> None:
    with replaying("15_server_killed_midway") as (server, client):
        with pytest.raises(Lost):
            draw(client, server.scripts[0].graph, "key", patience=QUICK)
        assert client.queue().running == ()


def test_graphs_that_a_server_accepts_are_accepted_here() -> None:
    for name in recordings():
        with replaying(name) as (server, _):
            for script in server.scripts:
                if script.status == 200 and "escape" not in str(script.graph):
                    assert checked(script.graph)
