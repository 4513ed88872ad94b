"""Clips in the library: brought in bare, played, and found again."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.clips import film
from tests.studio.conftest import Cast
from zoetrope.errors import UserError
from zoetrope.media.hashing import hash_file
from zoetrope.media.video import ClipLimits
from zoetrope.studio.files import Handed
from zoetrope.studio.library import clips
from zoetrope.studio.library.models import Kept
from zoetrope.studio.library.uploading import take
from zoetrope.studio.making.models import Made
from zoetrope.studio.making.store import clip_of, path_of

AT = "/s/studio/library/"


def sent(path: Path, name: str = "") -> SimpleUploadedFile:
    return SimpleUploadedFile(name or path.name, path.read_bytes())


@pytest.fixture
def kept(cast: Cast, tmp_path: Path) -> Kept:
    """A clip of the library."""
    return take(cast.space, cast.ada, cast.user("rui"), [sent(film(tmp_path / "turn.mp4", title="a secret"))]).added[0]


def test_a_clip_is_kept_without_what_it_said_beside_its_first_picture(cast: Cast, kept: Kept) -> None:
    made = kept.made
    assert (made.media, made.width, made.height, made.recipe, kept.title) == ("clip", 90, 160, None, "turn")
    assert made.seconds == pytest.approx(4, abs=0.1)
    assert hash_file(clip_of(made.sha256)) == made.sha256
    assert b"a secret" not in clip_of(made.sha256).read_bytes()
    assert path_of(made.sha256).is_file()
    assert kept.look


def test_pictures_clips_and_their_words_come_together(cast: Cast, tmp_path: Path) -> None:
    clip, other = film(tmp_path / "turn.mp4"), film(tmp_path / "walk.mov", frames=25)
    words = SimpleUploadedFile("turn.txt", b"Ada turns")
    told = take(cast.space, None, cast.user("rui"), [sent(clip), words, sent(other)])
    assert told.told() == "2 clips added. 1 of them looks much like one that is here."
    assert [each.title for each in told.added] == ["Ada turns", "walk"]
    again = take(cast.space, None, cast.user("rui"), [sent(clip, "again.mp4")])
    assert (len(again.added), [each.pk for each in again.known]) == (0, [told.added[0].pk])


def test_one_bad_clip_adds_nothing(cast: Cast, tmp_path: Path) -> None:
    bad = SimpleUploadedFile("bad.mp4", b"no clip at all")
    with pytest.raises(UserError, match=r"^bad\.mp4 cannot be read .* Nothing was added\.$"):
        take(cast.space, None, cast.user("rui"), [sent(film(tmp_path / "turn.mp4")), bad])
    with pytest.raises(UserError, match="too long"):
        take(cast.space, None, cast.user("rui"), [SimpleUploadedFile(f"{'a' * 240}.mp4", b"x")])
    assert not Made.objects.exists()


@pytest.mark.parametrize(
    ("limit", "value", "sentence"),
    [
        (
            "ClipLimits",
            lambda: ClipLimits(max_bytes=1000),
            r"^turn\.mp4 has [\d,]+ bytes; at most 1,000 are taken\. Noth",
        ),
        ("MOST_BYTES", 1000, "That is too much at once: .* Nothing was added"),
    ],
)
def test_what_is_too_large_is_refused_before_it_is_copied(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: object, sentence: str
) -> None:
    clip = sent(film(tmp_path / "turn.mp4"))
    monkeypatch.setattr(clips, limit, value)
    monkeypatch.setattr(clips, "workbench", None)
    with pytest.raises(UserError, match=sentence):
        take(cast.space, None, cast.user("rui"), [clip])


def test_a_clip_is_sent_piece_by_piece(cast: Cast, kept: Kept) -> None:
    """Django's own response would be read whole before the first byte goes out."""
    for at in (f"/s/studio/made/{kept.made.sha256}/clip", f"{AT}{kept.pk}/file/whole"):
        assert isinstance(cast.clients["vic"].get(at), Handed)


def test_it_is_played_found_and_taken_along(cast: Cast, kept: Kept) -> None:
    client = cast.clients["vic"]
    page = client.get(f"{AT}{kept.pk}/").content.decode()
    at = f"/s/studio/made/{kept.made.sha256}/clip"
    assert f'src="{at}"' in page
    assert "<video" in page
    assert "4 seconds" in page
    assert kept.made.sha256 in client.get(AT, {"clips": "1"}).content.decode()
    whole = client.get(at)
    data = clip_of(kept.made.sha256).read_bytes()
    assert b"".join(whole.streaming_content) == data  # type: ignore[attr-defined]
    file = client.get(f"{AT}{kept.pk}/file/bare")
    assert b"".join(file.streaming_content) == data  # type: ignore[attr-defined]
    assert f"{kept.made.sha256[:12]}.mp4" in file.headers["Content-Disposition"]
    assert cast.clients["sam"].get(at).status_code == 404


@pytest.mark.parametrize(
    ("asked", "first", "last"), [("bytes=0-", 0, None), ("bytes=100-199", 100, 200), ("bytes=-50", -50, None)]
)
def test_a_player_asks_for_parts(cast: Cast, kept: Kept, asked: str, first: int, last: int | None) -> None:
    data = clip_of(kept.made.sha256).read_bytes()
    at = f"/s/studio/made/{kept.made.sha256}/clip"
    part = cast.clients["vic"].get(at, headers={"Range": asked})
    begins = first % len(data)
    assert (part.status_code, part.content) == (206, data[begins:last])
    assert part.headers["Content-Range"] == f"bytes {begins}-{begins + len(part.content) - 1}/{len(data)}"


@pytest.mark.parametrize(("asked", "status"), [("bytes=99999999-", 416), ("bytes=9-3", 416), ("lines=1-", 200)])
def test_what_is_not_there_is_not_sent(cast: Cast, kept: Kept, asked: str, status: int) -> None:
    at = f"/s/studio/made/{kept.made.sha256}/clip"
    assert cast.clients["vic"].get(at, headers={"Range": asked}).status_code == status


def test_programs_are_told_what_moves(cast: Cast, kept: Kept) -> None:
    headers = {"Authorization": f"Bearer {cast.token('vic')}"}
    [told] = cast.clients["nobody"].get("/api/spaces/studio/library?clips=true", headers=headers).json()
    assert (told["media"], round(told["seconds"])) == ("clip", 4)
