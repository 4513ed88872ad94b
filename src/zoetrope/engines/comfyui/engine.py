"""A ComfyUI server as an engine: a recipe with a workflow in, made pictures out, read by hash and stripped of words."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from zoetrope.engines.comfyui.client import Client, Refused
from zoetrope.engines.comfyui.drawing import Patience, Told, draw
from zoetrope.engines.comfyui.workflow import (
    Graph,
    Loader,
    changed,
    checked,
    kinds,
    lora_name,
    picture_name,
    texts,
    with_loras,
)
from zoetrope.engines.engine import Cancel, EngineLost, Made, Progress, Step
from zoetrope.media.decode import decode, open_picture
from zoetrope.media.errors import MediaError
from zoetrope.media.recipe import LoraUse, Recipe
from zoetrope.models.headers import read_header

_PERCENT = 100
# The hash of a LoRA's weights, whatever its file is called.
_WEIGHTS = "modelspec.hash_sha256"


@dataclass(frozen=True)
class Lent:
    """Where files lie that recipes name by their hashes."""

    picture: Callable[[str], Path]
    lora: Callable[[str], Path]


class ComfyEngine:
    """One server, and the work that is done there under a key of its own."""

    def __init__(
        self,
        client: Client,
        key: str,
        lent: Lent,
        preview: Callable[[bytes], None] | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._client = client
        self._key = key
        self._lent = lent
        self._preview = preview
        self._patience = patience

    def make(self, recipe: Recipe, progress: Progress | None = None, cancel: Cancel | None = None) -> list[Made]:
        """Every picture that the recipe's workflow saves, in its order."""
        graph = self.fitted(recipe)
        shown: list[bytes | None] = [None]

        def hear(told: Told) -> None:
            if progress:
                progress(Step(round(_PERCENT * told.share), _PERCENT))
            if self._preview and told.preview is not None and told.preview is not shown[0]:
                shown[0] = told.preview
                self._preview(told.preview)

        files = draw(self._client, graph, self._key, hear, cancel, self._patience)
        return [_made(data, recipe) for data in files]

    def fitted(self, recipe: Recipe) -> Graph:
        """The recipe's workflow as this server can draw it: with LoRAs put in, and files by its own names."""
        graph = checked(recipe.graph)
        placed = set(texts(graph))
        loaders = [Loader(lora_name(use.sha256), use.weight) for use in recipe.loras]
        missing = [loader for loader in loaders if loader.name not in placed]
        grown = with_loras(graph, missing, self._outputs(graph)) if missing else graph
        names = {lora_name(use.sha256): self._lora(use) for use in recipe.loras}
        for control in recipe.controls:
            if picture_name(control.sha256) in placed:
                names[picture_name(control.sha256)] = self._sent(control.sha256)
        return changed(grown, lambda text: names.get(text, text))

    def _outputs(self, graph: Graph) -> dict[str, list[str]]:
        found = {}
        for kind in kinds(graph):
            about = self._client.kind(kind)
            if about is None:
                raise Refused(f"ComfyUI at {self._client.address.url} has no node of the class {kind!a:.60}.")
            given = about.get("output")
            found[kind] = [str(each) for each in given] if isinstance(given, list) else []
        return found

    def _lora(self, use: LoraUse) -> str:
        """What the server calls a LoRA; that of another persona with the same name is not taken for it."""
        file = f"{use.name.replace(' ', '_')}.safetensors"
        mine = read_header(self._lent.lora(use.sha256)).metadata.get(_WEIGHTS)
        for name in self._client.loras():
            last = name.replace("\\", "/").rpartition("/")[2]
            if last == f"{use.sha256}.safetensors":
                return name
            if last == file and mine and self._client.lora_words(name).get(_WEIGHTS) == mine:
                return name
        raise Refused(f"ComfyUI at {self._client.address.url} has no {file}: put that file into its folder of LoRAs.")

    def _sent(self, sha256: str) -> str:
        try:
            image = open_picture(self._lent.picture(sha256)).merged()
        except MediaError as error:
            raise Refused("The picture before cannot be read any more.") from error
        buffer = BytesIO()
        image.save(buffer, "PNG")
        return self._client.upload(f"{sha256}.png", buffer.getvalue())


def _made(data: bytes, recipe: Recipe) -> Made:
    """A server writes its whole workflow into a picture: only what one sees is taken."""
    try:
        image = decode(data).image
    except MediaError as error:
        # Cut off on its way, most likely.
        raise EngineLost(f"A picture by ComfyUI cannot be read: {error}") from error
    return Made(image, recipe.model_copy(update={"width": image.width, "height": image.height}))
