"""FLUX Kontext: with a picture to look at, and without."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from tests import tiny
from tests.models.test_flux import PLAN, recipe
from zoetrope.models.families import FAMILIES

KONTEXT = FAMILIES["flux_kontext"]


@pytest.fixture(scope="module")
def folder() -> Path:
    return tiny.saved("kontext")


def test_the_folder_is_kontexts_and_not_plain_fluxs(folder: Path) -> None:
    assert KONTEXT.recognises(folder)
    assert not FAMILIES["flux"].recognises(folder)
    assert KONTEXT.defaults(folder).guidance == 2.5


@pytest.mark.parametrize("size", [None, (16, 16), (200, 90), (5, 300)])
def test_it_draws_the_size_asked_for_whatever_it_looks_at(folder: Path, size: tuple[int, int] | None) -> None:
    pipeline = KONTEXT.load(folder, PLAN)
    image = Image.new("RGB", size, "red") if size else None
    generators = [torch.Generator().manual_seed(seed) for seed in range(2)]
    images = pipeline(**KONTEXT.call_arguments(recipe(batch_size=2), generators, image)).images
    assert [made.size for made in images] == [(16, 8)] * 2


def test_what_it_looks_at_matters(folder: Path) -> None:
    pipeline = KONTEXT.load(folder, PLAN)

    def draw(image: Image.Image | None) -> bytes:
        arguments = KONTEXT.call_arguments(recipe(), [torch.Generator().manual_seed(1)], image)
        return bytes(pipeline(**arguments).images[0].tobytes())

    seen = {draw(None), draw(Image.new("RGB", (16, 8), "red")), draw(Image.new("RGB", (16, 8), "blue"))}
    assert len(seen) == 3
