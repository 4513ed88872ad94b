"""A ComfyUI that draws, remembers and forgets as the real one does, and fails in all the ways that one can."""

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from zlib import crc32

from PIL import Image

from tests.engines.comfyui.wire import Answer, Listener, Request, Server, told

KNOWN = {
    "EmptyImage": ["IMAGE"],
    "SlowSteps": ["IMAGE"],
    "SaveImage": [],
    "LoadImage": ["IMAGE", "MASK"],
    "CheckpointLoaderSimple": ["MODEL", "CLIP", "VAE"],
    "LoraLoader": ["MODEL", "CLIP"],
    "LoraLoaderModelOnly": ["MODEL"],
    "KSampler": ["LATENT"],
    "CLIPTextEncode": ["CONDITIONING"],
    "EmptyLatentImage": ["LATENT"],
    "VAEDecode": ["IMAGE"],
}


@dataclass(frozen=True)
class Faults:
    """How often what goes wrong, of each chance to: exactly so often, whoever comes when (`Comfy._happens`)."""

    # A request is done, and its answer does not arrive.
    lost_answer: float = 0.0
    # A request arrives nowhere.
    lost_request: float = 0.0
    # An answer is cut off.
    cut: float = 0.0
    delay: float = 0.0
    # A message is not sent, or twice.
    lost_message: float = 0.0
    twice: float = 0.0
    dropped_listener: float = 0.0
    # The process is killed and started anew.
    restart: float = 0.0
    # The worker never goes on, and everything else is well; until the prompt is interrupted.
    silent: float = 0.0
    # A node fails.
    error: float = 0.0


@dataclass
class Prompt:
    """Something to draw."""

    name: str
    client: str
    graph: dict[str, Any]
    stopped: asyncio.Event = field(default_factory=asyncio.Event)


class Comfy(Server):
    """One worker, a queue and a history in memory, files that outlive it."""

    def __init__(self, faults: Faults | None = None, seed: int = 0, step: float = 0.004) -> None:
        super().__init__()
        self.faults = faults or Faults()
        self.chance = random.Random(seed)
        self.step = step
        self.pending: list[Prompt] = []
        self.running: Prompt | None = None
        self.past: dict[str, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.uploads: dict[str, bytes] = {}
        self.loras: dict[str, dict[str, str]] = {}
        # What its worker drew, and how often the server had been started anew by then.
        self.drawn: list[tuple[str, int]] = []
        self.graphs: dict[str, dict[str, Any]] = {}
        self.restarts = 0
        # How often what went wrong, and the chances that are left of each kind, of which one is it.
        self.happened: Counter[str] = Counter()
        self._decks: dict[str, list[bool]] = {}
        self._work = asyncio.Event()

    async def open(self) -> None:
        await super().open()
        self.begin(self._draw_all())

    def _happens(self, what: str) -> bool:
        """One of as many chances as it takes, shuffled: dice would let whole tests pass without a rare fault."""
        often = float(getattr(self.faults, what))
        if not often:
            return False
        deck = self._decks.setdefault(what, [])
        if not deck:
            deck += [True] + [False] * (round(1 / often) - 1)
            self.chance.shuffle(deck)
        happens = deck.pop()
        self.happened[what] += happens
        return happens

    async def answer(self, request: Request) -> Answer:
        if self._happens("delay"):
            await asyncio.sleep(0.05)
        if self._happens("lost_request"):
            return Answer(None)
        answer = self._answer(request)
        if self._happens("lost_answer"):
            return Answer(None)
        return Answer(answer.status, answer.body, answer.kind, cut=bool(answer.body) and self._happens("cut"))

    def _answer(self, request: Request) -> Answer:
        path = request.path
        if path == "/prompt":
            return self._prompt(request.said)
        if path == "/queue":
            return self._queue(request)
        if path == "/interrupt":
            return self._interrupt(request.said)
        if path.startswith("/history/"):
            name = path.rpartition("/")[2]
            return told({name: self.past[name]} if name in self.past else {})
        if path == "/view":
            file = request.query["filename"]
            return Answer(200, self.files[file], "image/png") if file in self.files else Answer(404)
        if path == "/upload/image":
            return self._upload(request)
        if path == "/system_stats":
            return told({"system": {"comfyui_version": "0.3.64"}, "devices": []})
        if path.startswith("/object_info/"):
            kind = path.rpartition("/")[2]
            return told({kind: {"output": KNOWN[kind]}} if kind in KNOWN else {})
        if path == "/models/loras":
            return told(list(self.loras))
        if path == "/view_metadata/loras":
            return told(self.loras[request.query["filename"]])
        return Answer(404)

    def _prompt(self, said: dict[str, Any]) -> Answer:
        prompt = Prompt(said["prompt_id"], said["client_id"], said["prompt"])
        for number, node in prompt.graph.items():
            if node["class_type"] not in KNOWN:
                message = f"Cannot execute because node {node['class_type']} does not exist."
                details = f"Node ID '#{number}'"
                error = {"type": "invalid_prompt", "message": message, "details": details, "extra_info": {}}
                return told({"error": error, "node_errors": {}}, 400)
        self.graphs[prompt.name] = prompt.graph
        self.pending.append(prompt)
        self._work.set()
        return told({"prompt_id": prompt.name, "number": len(self.graphs), "node_errors": {}})

    def _queue(self, request: Request) -> Answer:
        if request.method == "POST":
            gone = request.said["delete"]
            self.pending = [each for each in self.pending if each.name not in gone]
            return Answer()
        rows = [[0, each.name, each.graph, {}, []] for each in self.pending]
        running = [[0, self.running.name, self.running.graph, {}, []]] if self.running else []
        return told({"queue_running": running, "queue_pending": rows})

    def _interrupt(self, said: dict[str, Any]) -> Answer:
        if self.running and self.running.name == said["prompt_id"]:
            self.running.stopped.set()
        return Answer()

    def _upload(self, request: Request) -> Answer:
        head, _, rest = request.body.partition(b"\r\n\r\n")
        boundary = request.headers["content-type"].partition("boundary=")[2].encode()
        parts = request.body.split(b"--" + boundary)
        for part in parts:
            head, _, rest = part.partition(b"\r\n\r\n")
            if b'filename="' in head:
                name = head.split(b'filename="')[1].split(b'"')[0].decode()
                self.uploads[name] = rest[:-2]
                return told({"name": name, "subfolder": "zoetrope", "type": "input"})
        return Answer(400)

    async def _draw_all(self) -> None:
        while True:
            if not self.pending:
                self._work.clear()
                await self._work.wait()
                continue
            self.running = self.pending.pop(0)
            await self._draw(self.running)
            self.running = None

    async def _draw(self, prompt: Prompt) -> None:
        await self._say(prompt, "execution_start", {})
        await self._say(prompt, "execution_cached", {"nodes": []})
        messages: list[list[Any]] = []
        if self._happens("silent"):
            await prompt.stopped.wait()
        shares: dict[str, Any] = {}
        for number in prompt.graph:
            await self._say(prompt, "executing", {"node": number})
            await asyncio.sleep(self.step)
            shares[number] = {"value": 1.0, "max": 1.0, "state": "finished"}
            await self._say(prompt, "progress_state", {"nodes": shares})
            await self._show(prompt)
            if self._happens("restart"):
                self.begin(self._restart())
                await asyncio.Event().wait()
            if prompt.stopped.is_set():
                messages.append(["execution_interrupted", {"prompt_id": prompt.name, "node_id": number}])
            elif self._happens("error"):
                said = {"node_id": number, "exception_message": "out of memory", "exception_type": "RuntimeError"}
                messages.append(["execution_error", {"prompt_id": prompt.name, **said}])
            if messages:
                break
        await self._end(prompt, messages)

    async def _end(self, prompt: Prompt, messages: list[list[Any]]) -> None:
        outputs = {} if messages else self._saved(prompt)
        messages = messages or [["execution_success", {"prompt_id": prompt.name}]]
        await self._say(prompt, messages[-1][0], dict(messages[-1][1]))
        status = {"status_str": "success" if outputs else "error", "completed": bool(outputs), "messages": messages}
        self.past[prompt.name] = {"prompt": [], "outputs": outputs, "status": status, "meta": {}}
        self.running = None
        await self._say(prompt, "executing", {"node": None})

    def _saved(self, prompt: Prompt) -> dict[str, Any]:
        self.drawn.append((prompt.name, self.restarts))
        found = {}
        for number, node in prompt.graph.items():
            if node["class_type"] == "SaveImage":
                file = f"{node['inputs']['filename_prefix'].replace('/', '-')}_00001_.png"
                self.files[file] = picture(prompt.graph)
                found[number] = {"images": [{"filename": file, "subfolder": "", "type": "output"}]}
        return found

    async def _restart(self) -> None:
        self.restarts += 1
        self.pending.clear()
        self.running = None
        self.past.clear()
        await self.shut()
        await asyncio.sleep(0.1)
        await self.open()

    async def _show(self, prompt: Prompt) -> None:
        """A preview that names its prompt, to whoever said that they can read one."""
        words = json.dumps({"prompt_id": prompt.name, "image_type": "image/png"}).encode()
        frame = (4).to_bytes(4, "big") + len(words).to_bytes(4, "big") + words + picture(prompt.graph)
        for listener in [each for each in self.listeners if each.client_id == prompt.client]:
            if any("supports_preview_metadata" in each for each in listener.heard):
                await listener.send(frame)

    async def _say(self, prompt: Prompt, kind: str, data: dict[str, Any]) -> None:
        message = {"type": kind, "data": {"prompt_id": prompt.name, **data}}
        for listener in [each for each in self.listeners if each.client_id == prompt.client]:
            await self._send(listener, message)

    async def _send(self, listener: Listener, message: dict[str, Any]) -> None:
        if self._happens("dropped_listener"):
            listener.drop()
            return
        for _ in range(0 if self._happens("lost_message") else 2 if self._happens("twice") else 1):
            await listener.send(message)


def picture(graph: dict[str, Any]) -> bytes:
    """Of its own for each graph, whatever its files are called."""
    plain = {
        number: {key: value for key, value in node["inputs"].items() if key != "filename_prefix"}
        for number, node in graph.items()
    }
    colour = crc32(json.dumps(plain, sort_keys=True).encode())
    buffer = BytesIO()
    image = Image.new("RGB", (16, 16), (colour & 255, colour >> 8 & 255, colour >> 16 & 255))
    image.save(buffer, "PNG")
    return buffer.getvalue()
