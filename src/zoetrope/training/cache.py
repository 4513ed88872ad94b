"""What pictures and captions were turned into, kept on disk by their content, the model and the settings."""

import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoetrope.media.files import write_atomic
from zoetrope.media.hashing import hash_bytes
from zoetrope.models.learner import Learner
from zoetrope.training.dataset import Shown, load

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

VERSION = 1
_TOGETHER = 8
_MEMORY = 256 * 2**20


@dataclass
class Tally:
    """How much work the cache saved."""

    made: int = 0
    found: int = 0


class Cache:
    """Safetensors files named by a hash of everything that their content depends on."""

    def __init__(self, folder: Path, model: str) -> None:
        self.folder = folder
        self._model = model
        self._held: OrderedDict[str, dict[str, torch.Tensor]] = OrderedDict()
        self._bytes = 0

    def picture_key(self, shown: Shown) -> str:
        return self._key("picture", shown.item.sha256, list(shown.size))

    def words_key(self, caption: str, tokens: int) -> str:
        return self._key("words", caption, tokens)

    def __contains__(self, key: str) -> bool:
        return self._path(key).is_file()

    def get(self, key: str) -> "dict[str, torch.Tensor]":
        """The tensors under a key; the most used stay in memory."""
        if key not in self._held:
            from safetensors.torch import load_file

            self._hold(key, load_file(self._path(key)))
        self._held.move_to_end(key)
        return self._held[key]

    def put(self, key: str, tensors: "dict[str, torch.Tensor]") -> None:
        from safetensors.torch import save

        # It can be made again, so thousands of them need not wait for the disk.
        write_atomic(self._path(key), save({k: v.cpu().contiguous() for k, v in tensors.items()}), durable=False)

    def _hold(self, key: str, tensors: "dict[str, torch.Tensor]") -> None:
        self._held[key] = tensors
        self._bytes += _size(tensors)
        while self._bytes > _MEMORY and len(self._held) > 1:
            self._bytes -= _size(self._held.popitem(last=False)[1])

    def _key(self, *parts: object) -> str:
        return hash_bytes(json.dumps([VERSION, self._model, *parts]).encode())

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.safetensors"


def _size(tensors: "dict[str, torch.Tensor]") -> int:
    return sum(tensor.nbytes for tensor in tensors.values())


def encode_pictures(
    cache: Cache, learner: Learner, shown: Sequence[Shown], on_done: Callable[[int], None] = lambda done: None
) -> Tally:
    """Turn every picture that is not in the cache into latents, several of one size together."""
    from zoetrope.models.pixels import to_tensor

    missing = [each for each in shown if cache.picture_key(each) not in cache]
    done = found = len(shown) - len(missing)
    on_done(done)
    for together in _of_one_size(missing):
        pictures = [load(each.item, each.size) for each in together]
        latents = learner.encode_pictures(to_tensor(picture.image for picture in pictures))
        for each, picture, latent in zip(together, pictures, latents, strict=True):
            tensors = {"latents": latent.float()}
            if picture.alpha is not None:
                tensors["mask"] = _mask(picture.alpha, tuple(latent.shape[1:]))
            cache.put(cache.picture_key(each), tensors)
        done += len(together)
        on_done(done)
    return Tally(made=len(missing), found=found)


def encode_words(
    cache: Cache, learner: Learner, captions: Iterable[str], on_done: Callable[[int], None] = lambda done: None
) -> Tally:
    """Turn every caption that is not in the cache into what the model reads."""
    tokens = learner.defaults.max_tokens
    every = list(dict.fromkeys(captions))
    missing = [caption for caption in every if cache.words_key(caption, tokens) not in cache]
    done = found = len(every) - len(missing)
    for start in range(0, len(missing), _TOGETHER):
        together = missing[start : start + _TOGETHER]
        for caption, words in zip(together, learner.encode_words(together), strict=True):
            cache.put(cache.words_key(caption, tokens), words)
        done += len(together)
        on_done(done)
    return Tally(made=len(missing), found=found)


def _of_one_size(shown: Iterable[Shown]) -> Iterable[list[Shown]]:
    sizes: dict[tuple[int, int], list[Shown]] = {}
    for each in shown:
        sizes.setdefault(each.size, []).append(each)
    for same in sizes.values():
        yield from (same[i : i + _TOGETHER] for i in range(0, len(same), _TOGETHER))


def _mask(alpha: "Image", shape: tuple[int, ...]) -> "torch.Tensor":
    """How much each latent counts: the share of it that is not transparent."""
    import torch
    from PIL import Image as Pillow

    small = alpha.resize((shape[1], shape[0]), Pillow.Resampling.BOX)
    return torch.from_numpy(np.asarray(small, dtype=np.float32) / 255.0)
