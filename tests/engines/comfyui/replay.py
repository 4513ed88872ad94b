"""A server that says again what a real one said: recorded conversations with ComfyUI 0.3.64, prompt by prompt."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from PIL import Image

from tests.engines.comfyui.wire import Answer, Request, Server, told

RECORDINGS = Path(__file__).parent / "recordings"
# A recorded second, here.
_PACE = 0.2
_PREFIX = "filename_prefix"
_KILLED = "kill -9 of the server"


def recordings() -> list[str]:
    return sorted(path.stem for path in RECORDINGS.glob("*.json"))


def recorded(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))
    return rows


def picture() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (8, 8), "teal").save(buffer, "PNG")
    return buffer.getvalue()


@dataclass
class Script:
    """One recorded prompt: how it was answered, and what followed."""

    name: str
    graph: dict[str, Any]
    status: int
    response: Any
    follows: list[tuple[float, dict[str, Any]]]
    history: dict[str, Any] | None
    lost: bool
    # What our client calls it, and what it has heard.
    mine: str = ""
    client: str = ""
    began: bool = False
    ended: bool = False
    gone: bool = False


def scripts(rows: list[dict[str, Any]]) -> Iterator[Script]:
    """The prompts of a conversation, as far as a client could send them."""
    for index, row in enumerate(rows):
        said = row.get("request")
        if row["dir"] == "http" and row["path"] == "/prompt" and isinstance(said, dict) and "prompt" in said:
            if row["status"] == 403:
                # Sent with another site's Origin, which ours never sends.
                continue
            name = row["response"].get("prompt_id", "")
            follows, history = _after(rows[index:], row["t"], name)
            lost = _loses(rows[index:])
            yield Script(name, said["prompt"], row["status"], row["response"], follows, history, lost)


def _after(
    rows: list[dict[str, Any]], start: float, name: str
) -> tuple[list[tuple[float, dict[str, Any]]], dict[str, Any] | None]:
    follows, history, mine = [], None, False
    for row in rows[1:]:
        about = row["msg"].get("data", {}).get("prompt_id") if row["dir"] == "ws-recv" else None
        mine = about == name if about else mine
        binary = row["dir"] == "ws-recv-binary" and mine
        if about == name or binary or row["dir"] == "ws-closed" or _removes(row, name) or _note(row, _KILLED):
            follows.append((row["t"] - start, row))
        if row["dir"] == "http" and row["path"] == f"/history/{name}":
            history = row["response"].get(name) or history
        if _note(row, "{'in_history': True"):
            # Whoever only asked wrote down no more of it.
            history = history or _success({"3": {"images": [{"filename": "slow.png", "type": "output"}]}})
    return follows, history or _ended([row["msg"] for _, row in follows if row["dir"] == "ws-recv"])


def _removes(row: dict[str, Any], name: str) -> bool:
    said = (row.get("request") or {}) if row["dir"] == "http" and row["path"] == "/queue" else {}
    return name in said.get("delete", []) or bool(said.get("clear"))


def _note(row: dict[str, Any], text: str) -> bool:
    return row["dir"] == "note" and str(row["text"]).startswith(text)


def _ended(messages: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The history of a prompt that the recorder did not ask for, by what was told of it."""
    if not any(each["type"] == "execution_success" for each in messages):
        return None
    outputs = {each["data"]["node"]: each["data"]["output"] for each in messages if each["type"] == "executed"}
    return _success(outputs)


def _success(outputs: dict[str, Any]) -> dict[str, Any]:
    return {"outputs": outputs, "status": {"status_str": "success", "completed": True, "messages": []}}


def _loses(rows: list[dict[str, Any]]) -> bool:
    """Whether the file of a prompt had gone when it was asked for, before the next prompt."""
    for row in rows[1:]:
        if row["dir"] == "http" and row["path"] == "/prompt":
            return False
        if row["dir"] == "http" and row["path"].startswith("/view?"):
            return bool(row["status"] == 404)
    return False


class Replay(Server):
    """Plays a conversation's prompts to whoever sends their graphs."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.rows = recorded(name)
        self.scripts = list(scripts(self.rows))
        self.sent: dict[str, Script] = {}

    async def answer(self, request: Request) -> Answer:
        if request.path == "/prompt":
            return self._prompt(request.said)
        if request.path.startswith("/history/"):
            return self._history(request.path.rpartition("/")[2])
        if request.path == "/queue" and request.method == "GET":
            return self._queue()
        if request.path == "/view":
            return self._view()
        if request.method == "POST":
            return Answer()
        asked = request.path + (f"?{urlencode(request.query, safe='/')}" if request.query else "")
        found = next((row for row in self.rows if row["dir"] == "http" and row["path"] == asked), None)
        return told(found["response"], found["status"]) if found else Answer(404)

    def _prompt(self, said: dict[str, Any]) -> Answer:
        for script in self.scripts:
            if not script.mine and _plain(script.graph) == _plain(said["prompt"]):
                script.mine, script.client = said["prompt_id"], said["client_id"]
                response = _told(script.response, script)
                if script.status == 200:
                    self.sent[script.mine] = script
                    self.begin(self._play(script))
                return told(response, script.status)
        raise AssertionError("nobody recorded this prompt")

    async def _play(self, script: Script) -> None:
        at = 0.0
        for when, row in script.follows:
            await asyncio.sleep(max(0.0, when - at) * _PACE)
            at = when
            await self._event(script, row)
        # What ended while nobody listened ended all the same.
        script.ended |= script.history is not None

    async def _event(self, script: Script, row: dict[str, Any]) -> None:
        listeners = [each for each in self.listeners if each.client_id == script.client]
        if row["dir"] == "ws-recv-binary":
            for listener in listeners:
                await listener.send(_binary(row))
        elif row["dir"] == "ws-closed" and not script.ended:
            for listener in listeners:
                listener.drop()
        elif row["dir"] == "http":
            script.gone = not script.began
        elif row["dir"] == "note":
            await self._restart()
        elif row["dir"] == "ws-recv":
            message = row["msg"]
            script.began |= message["type"] == "execution_start"
            for listener in listeners:
                await listener.send(_told(message, script))
            script.ended |= message["type"] == "executing" and message["data"]["node"] is None

    async def _restart(self) -> None:
        self.sent.clear()
        await self.shut()
        await asyncio.sleep(0.3)
        await self.open()

    def _history(self, name: str) -> Answer:
        script = self.sent.get(name)
        if script is None or script.history is None or not script.ended:
            return told({})
        return told({name: _told(script.history, script)})

    def _queue(self) -> Answer:
        there = [script for script in self.sent.values() if not (script.ended or script.gone)]
        rows = {True: [[0, each.mine, {}, {}, []] for each in there if each.began]}
        rows[False] = [[0, each.mine, {}, {}, []] for each in there if not each.began]
        return told({"queue_running": rows[True], "queue_pending": rows[False]})

    def _view(self) -> Answer:
        newest = list(self.sent.values())[-1]
        return Answer(404) if newest.lost else Answer(200, picture(), "image/png")


def _plain(graph: dict[str, Any]) -> dict[str, Any]:
    """A graph but for the names that its files are saved by."""
    return {
        name: node | {"inputs": {key: value for key, value in node.get("inputs", {}).items() if key != _PREFIX}}
        for name, node in graph.items()
    }


def _told(value: Any, script: Script) -> Any:
    """What was said of a recorded prompt, said of ours."""
    return json.loads(json.dumps(value).replace(script.name, script.mine)) if script.name else value


def _binary(row: dict[str, Any]) -> bytes:
    """A frame of the recorded length that begins as it did."""
    head = bytes.fromhex(row["head_hex"])
    return head.ljust(int(row["length"]), b"\0")
