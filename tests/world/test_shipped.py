"""The shipped oracle and nano-flux do their work; `make bench` measures both in full."""

import random

from zoetrope.world import score
from zoetrope.world.artist import ModelArtist
from zoetrope.world.oracle.reading import read_images


def test_the_oracle_reads_drawings() -> None:
    accuracy = score.oracle_accuracy(read_images, seed=99)
    assert min(accuracy.values()) >= 0.985, accuracy


def test_nano_flux_draws_what_it_is_told() -> None:
    cases = random.Random(4).sample(score.caption_cases(99), 32)
    pictures = list(ModelArtist("nano-flux")([case.caption for case in cases], range(32)))
    accuracy = score.accuracy(cases, read_images(pictures))
    accuracy.pop("mark", None)
    assert sum(accuracy.values()) / len(accuracy) > 0.85, accuracy
