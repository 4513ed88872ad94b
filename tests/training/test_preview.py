"""The sheet of the first batch: what was cut on the left, what the model is given on the right."""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.training.runs import Silent, model, order
from zoetrope.media.sheet import GAP, MARGIN, TITLE
from zoetrope.models.catalogue import Catalogue
from zoetrope.training import preview
from zoetrope.training.cache import Cache, encode_pictures
from zoetrope.training.dataset import arrange, read_dataset
from zoetrope.training.preview import write_preview
from zoetrope.training.run import train_lora
from zoetrope.world.drawings import write_samples


def test_a_training_leaves_it_and_says_where(tmp_path: Path) -> None:
    watcher = Silent()
    train_lora(order(tmp_path, model(tmp_path)), watcher)
    assert watcher.said[0].preview == tmp_path / "out" / "preview.png"
    assert Image.open(tmp_path / "out" / "preview.png").format == "PNG"


def test_the_right_half_shows_the_left_again(tmp_path: Path) -> None:
    """With the shipped model: random weights would decode to noise."""
    found = Catalogue().find("nano-flux")
    write_samples(tmp_path / "data", seed=4, count=4, size=64)
    learner = found.family.learner(found.folder, found.plan())
    shown = arrange(read_dataset(tmp_path / "data").items, (64,), found.family.size_step(found.folder))
    cache = Cache(tmp_path / "cache", found.sha256)
    encode_pictures(cache, learner, shown)
    write_preview(tmp_path / "preview.png", learner, cache, [*shown, shown[0]])
    sheet = np.asarray(Image.open(tmp_path / "preview.png"), dtype=np.float32)
    side = preview._SIDE
    top = MARGIN + TITLE
    for column in range(3):
        left = MARGIN + column * (2 * side + GAP)
        source, decoded = (sheet[top : top + side, x : x + side] for x in (left, left + side))
        assert np.abs(source - decoded).mean() < 12
    first, second = (sheet[top : top + side, MARGIN + k * (2 * side + GAP) :][:, :side] for k in (0, 1))
    assert np.abs(first - second).mean() > 12
