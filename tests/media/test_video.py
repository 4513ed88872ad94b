"""Clips from strangers: copied without a word, turned as they are meant, or refused with a sentence."""

import contextlib
import random
from pathlib import Path

import av
import pytest

from tests.clips import LONG, SIDES, film, on_its_side
from tests.studio.publishing.graph_files import check_video
from zoetrope.media.errors import MediaError
from zoetrope.media.hashing import hash_file
from zoetrope.media.video import ClipLimits, bare_clip


@pytest.mark.parametrize("name", ["ada.mp4", "ada.mov"])
def test_a_clip_is_what_it_was_without_a_word(tmp_path: Path, name: str) -> None:
    source = film(tmp_path / name, title="a prompt", comment="seed 7", location="+48.0-002.0/")
    clip = bare_clip(source, tmp_path / "bare.mp4")
    assert (clip.width, clip.height, clip.first.size) == (*SIDES, SIDES)
    assert clip.seconds == pytest.approx(LONG, abs=0.1)
    assert clip.frames == pytest.approx(30, abs=0.5)
    data = (tmp_path / "bare.mp4").read_bytes()
    assert check_video(data) == pytest.approx(1000 * LONG, abs=100), "as Instagram takes it: its index first"
    for word in (b"a prompt", b"seed 7", b"+48", b"x264", b"Lavf"):
        assert word not in data
        assert word in source.read_bytes() or word in (b"Lavf", b"+48")
    with av.open(str(tmp_path / "bare.mp4")) as told:
        assert sum(1 for _ in told.decode(video=0)) == 30 * LONG


def test_the_same_clip_gives_the_same_bytes(tmp_path: Path) -> None:
    source = film(tmp_path / "ada.mp4")
    for name in ("one", "other"):
        bare_clip(source, tmp_path / name)
    assert hash_file(tmp_path / "one") == hash_file(tmp_path / "other")


def test_a_clip_without_sound_is_one_too(tmp_path: Path) -> None:
    assert bare_clip(film(tmp_path / "ada.mp4", sound=""), tmp_path / "bare").seconds == pytest.approx(LONG, abs=0.1)


def test_a_phone_that_was_held_upright_is_believed(tmp_path: Path) -> None:
    source = on_its_side(film(tmp_path / "ada.mp4", sides=(160, 90)))
    clip = bare_clip(source, tmp_path / "bare.mp4")
    assert (clip.width, clip.height, clip.first.size) == (90, 160, (90, 160))


@pytest.mark.parametrize(
    ("about", "limits", "sentence"),
    [
        ({"codec": "mpeg4"}, ClipLimits(), "not of H.264 or HEVC"),
        ({"sound": "mp3"}, ClipLimits(), "with AAC"),
        ({}, ClipLimits(max_bytes=1000), "at most 1,000 are taken"),
        ({}, ClipLimits(max_side=100), "a side has at most 100 pixels"),
        ({}, ClipLimits(max_seconds=2), "at most 2 are taken"),
    ],
)
def test_what_nobody_could_play_is_refused(
    tmp_path: Path, about: dict[str, str], limits: ClipLimits, sentence: str
) -> None:
    source = film(tmp_path / "ada.mp4", **about)  # type: ignore[arg-type]
    with pytest.raises(MediaError, match=sentence) as told:
        bare_clip(source, tmp_path / "bare", limits)
    assert str(told.value).startswith("ada.mp4: ")


def test_a_playlist_leads_nowhere(tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp4"
    film(secret)
    lists = [f"#EXTM3U\n#EXTINF:4,\n{secret}\n", f"ffconcat version 1.0\nfile {secret}\n"]
    for text in (*lists, "<svg/>", ""):
        (tmp_path / "ada.mp4").write_text(text)
        with pytest.raises(MediaError, match=r"ada\.mp4 cannot be read to its end as a clip"):
            bare_clip(tmp_path / "ada.mp4", tmp_path / "bare")


def test_a_clip_that_is_cut_off_or_mangled_is_refused_or_read_and_nothing_else(tmp_path: Path) -> None:
    whole = film(tmp_path / "ada.mp4")
    bare_clip(whole, tmp_path / "first.mp4")
    data, chance = (tmp_path / "first.mp4").read_bytes(), random.Random(8)
    cut = tmp_path / "cut.mp4"
    for share in (0.3, 0.6, 0.9):
        cut.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(MediaError, match=r"cut\.mp4"):
            bare_clip(cut, tmp_path / "bare")
    for _ in range(400):
        mangled = bytearray(data)
        for _ in range(chance.randrange(1, 30)):
            mangled[chance.randrange(len(data))] = chance.randrange(256)
        cut.write_bytes(mangled)
        # Anything but a sentence would be raised here.
        with contextlib.suppress(MediaError):
            assert 0 < bare_clip(cut, tmp_path / "bare").seconds <= ClipLimits().max_seconds
