"""The wheel in the browser: what a page does is what the workspace says afterwards."""

import asyncio
import io
import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.studio.conftest import Cast
from tests.wheel.cast import picture
from zoetrope.studio.files import Handed
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.studio.workshop import steps
from zoetrope.wheel import events as ev
from zoetrope.wheel.state import Decision, Entry
from zoetrope.wheel.workspace import Workspace

AT = "/s/studio/p/ada"


def upload(name: str, data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def sent(cast: Cast, *files: SimpleUploadedFile, who: str = "rui") -> Any:
    return cast.clients[who].post(f"{AT}/sources/", {"files": files})


@pytest.fixture
def ada(cast: Cast) -> Workspace:
    """Ada with three pictures, each with its words."""
    files = [upload(f"ada-{n}.png", picture(n)) for n in range(3)]
    words = [upload(f"ada-{n}.txt", f"portrait of ada, scene {n}".encode()) for n in range(3)]
    assert sent(cast, *files, *words).status_code == 302
    return workspace_of(cast.ada)


def entries(ada: Workspace) -> list[Entry]:
    return list(ada.state().pictures.values())


def entries_step(ada: Workspace) -> int:
    """The step by which Ada's pictures came."""
    return next(event.batch for event in ada.log.read() if isinstance(event, ev.Added))


def decided(cast: Cast, who: str = "rui", **said: Any) -> Any:
    return cast.clients[who].post(f"{AT}/review/decide/", json.dumps(said), "application/json")


def test_dropped_pictures_become_sources_with_their_captions(cast: Cast, ada: Workspace) -> None:
    assert [entry.caption for entry in entries(ada)] == [f"portrait of ada, scene {n}" for n in range(3)]
    assert b"portrait of ada, scene 2" in cast.clients["vic"].get(f"{AT}/sources/").content


def test_a_zip_is_taken_apart(cast: Cast) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("in/one.png", picture(1))
        archive.writestr("in/one.txt", "portrait of ada")
    assert sent(cast, upload("all.zip", packed.getvalue())).status_code == 302
    assert [entry.caption for entry in entries(workspace_of(cast.ada))] == ["portrait of ada"]


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("virus.exe", b"MZ", "virus.exe is no picture"),
        ("broken.png", b"\x89PNG\r\n", "broken.png"),
        ("escape.zip", None, "outside"),
        ("later.txt", b"portrait of ada", "later.txt is a caption without its picture"),
    ],
)
def test_what_is_no_picture_changes_nothing(
    cast: Cast, ada: Workspace, name: str, data: bytes | None, sentence: str
) -> None:
    if data is None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("../../evil.png", picture(8))
        data = packed.getvalue()
    answer = sent(cast, upload("good.png", picture(7)), upload(name, data))
    assert answer.status_code == 400
    assert len(entries(ada)) == 3
    assert sentence in answer.content.decode()
    assert "/tmp" not in answer.content.decode()


def test_names_cannot_choose_their_folder(cast: Cast) -> None:
    sent(cast, upload("..\\..\\evil.png", picture(3)), upload("../../evil.png", picture(4)))
    assert sorted(entry.file for entry in entries(workspace_of(cast.ada))) == ["sources/evil-2.png", "sources/evil.png"]


@pytest.mark.parametrize(
    ("names", "captions"),
    [
        (["x-2.png", "x.png", "x.png"], ["", "", ""]),
        (["y.png", "y.txt", "y.png", "y.txt"], ["y.txt 1", "y.txt 3"]),
        (["Y.PNG", "Y.TXT", "y.jpg", "Z.ZIP"], ["Y.TXT 1", "", "in a ZIP"]),
    ],
)
def test_files_of_one_name_all_come_in_with_their_own_captions(
    cast: Cast, names: list[str], captions: list[str]
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("one.png", picture(9))
        archive.writestr("one.txt", "in a ZIP")
    data = {".txt": lambda number, name: f"{name} {number}".encode(), ".zip": lambda *_: packed.getvalue()}
    files = [
        upload(name, data.get(Path(name).suffix.lower(), lambda number, _: picture(number))(number, name))
        for number, name in enumerate(names)
    ]
    assert sent(cast, *files).status_code == 302
    assert sorted(entry.caption for entry in entries(workspace_of(cast.ada))) == sorted(captions)


def test_a_caption_is_saved_as_it_was_left(cast: Cast, ada: Workspace) -> None:
    first = entries(ada)[0]
    cast.clients["rui"].post(f"{AT}/captions/", {"sha256": first.sha256, "text": "  portrait\n of ada "})
    assert entries(ada)[0].caption == "portrait of ada"
    long = cast.clients["rui"].post(f"{AT}/captions/", {"sha256": first.sha256, "text": "x" * 2001})
    assert (long.status_code, b"2,001 characters" in long.content) == (400, True)
    assert ada.caption_path(first).read_text(encoding="utf-8") == "portrait of ada\n"
    assert cast.clients["vic"].post(f"{AT}/captions/", {"sha256": first.sha256, "text": "x"}).status_code == 403
    assert cast.clients["rui"].post(f"{AT}/captions/", {"sha256": "none", "text": "x"}).status_code == 404


def test_decisions_are_recorded_by_whoever_made_them(cast: Cast, ada: Workspace) -> None:
    first, second, third = (entry.sha256 for entry in entries(ada))
    assert decided(cast, do="keep", pictures=[first, second]).json()["left"] == 1
    step = decided(cast, do="reject", reason="hands", pictures=[third]).json()["step"]
    assert [entry.decision.value for entry in entries(ada)] == ["kept", "kept", "rejected"]
    assert [event.by for event in ada.log.read() if isinstance(event, ev.Kept)] == ["rui", "rui"]
    decided(cast, do="undo", step=step)
    assert entries(ada)[2].decision is Decision.waiting
    decided(cast, do="correct", instruction="longer hair", pictures=[third])
    assert entries(ada)[2].instruction == "longer hair"


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"do": "keep"},
        {"do": "keep", "pictures": ["0" * 64]},
        {"do": "reject", "reason": "boredom"},
        {"do": "undo", "step": "last"},
        {"do": "undo", "step": 10**9},
        {"do": "correct", "instruction": " "},
        {"do": ["keep"], "pictures": {}},
    ],
)
def test_what_is_no_decision_is_told_and_records_nothing(cast: Cast, ada: Workspace, said: dict[str, Any]) -> None:
    if "pictures" not in said:
        said = {**said, "pictures": [entries(ada)[0].sha256]} if said.get("do") != "keep" else said
    before = ada.log.read()
    answer = decided(cast, **said)
    assert (answer.status_code, ada.log.read()) == (400, before)
    assert decided(cast, "vic", do="keep", pictures=[entries(ada)[0].sha256]).status_code == 403


def test_pictures_are_sent_by_content_and_never_again(cast: Cast, ada: Workspace) -> None:
    vic, sha256 = cast.clients["vic"], entries(ada)[0].sha256
    whole = vic.get(f"{AT}/pictures/{sha256}/0")
    assert whole.content == picture(0)
    small = vic.get(f"{AT}/pictures/{sha256}/320")
    assert (small.headers["Content-Type"], "immutable" in small.headers["Cache-Control"]) == ("image/webp", True)
    again = vic.get(f"{AT}/pictures/{sha256}/320", headers={"If-None-Match": small.headers["ETag"]})
    assert again.status_code == 304
    assert vic.get(f"{AT}/pictures/{sha256}/31").status_code == 404
    assert vic.get(f"{AT}/pictures/{'0' * 64}/320").status_code == 404


def test_a_persona_is_known_by_the_first_picture_that_was_kept(cast: Cast, ada: Workspace) -> None:
    vic, face = cast.clients["vic"], f"{AT}/face/320"
    assert face in vic.get("/s/studio/").content.decode()
    assert "studio/mark" in vic.get(face).headers["Location"]
    first, second, third = (entry.sha256 for entry in entries(ada))
    decided(cast, do="keep", pictures=[third])
    assert vic.get(face).headers["Location"] == f"{AT}/pictures/{third}/320"
    decided(cast, do="keep", pictures=[second])
    assert vic.get(face).headers["Location"] == f"{AT}/pictures/{second}/320"
    assert vic.get(face, follow=True).headers["Content-Type"] == "image/webp"
    assert first not in vic.get(face).headers["Location"]


def test_captions_with_html_are_only_text(cast: Cast, ada: Workspace) -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    ada.caption({entries(ada)[0].sha256: evil}, "person")
    for page in ("sources", "captions", "review", ""):
        assert evil not in cast.clients["olga"].get(f"{AT}/{page}{'/' if page else ''}").content.decode()


def test_undo_is_a_button(cast: Cast, ada: Workspace) -> None:
    first = entries(ada)[0].sha256
    step = decided(cast, do="keep", pictures=[first]).json()["step"]
    rui = cast.clients["rui"]
    for page in ("captions", "sources"):
        assert "Undo the last step: 1 kept by rui" in rui.get(f"{AT}/{page}/").content.decode()
    back = rui.post(f"{AT}/undo/", {"next": "sources", "step": step})
    assert back.headers["Location"] == f"{AT}/sources/"
    assert "Taken back: 1 kept by rui." in rui.get(f"{AT}/sources/").content.decode()
    assert not ada.state().of(Decision.kept)
    elsewhere = rui.post(f"{AT}/undo/", {"next": "//evil.example/", "step": entries_step(ada)})
    assert elsewhere.headers["Location"] == f"{AT}/"
    assert not entries(ada)


def test_a_button_takes_back_nothing_but_what_it_names(cast: Cast, ada: Workspace) -> None:
    step, before = entries_step(ada), entries(ada)
    saved = cast.clients["rui"].post(f"{AT}/captions/", {"sha256": before[0].sha256, "text": "ada, sitting"})
    assert "Undo the last step: 1 captioned by rui" in saved.content.decode(), "the page's own button keeps up"
    sent(cast, upload("late.png", picture(8)), who="olga")
    for said in ({"step": step}, {"step": step + 100}, {"step": "²"}, {}):
        assert cast.clients["rui"].post(f"{AT}/undo/", said).status_code == 400
    assert len(entries(ada)) == 4
    assert entries(ada)[0].caption == "ada, sitting"


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([ev.Added(sha256="0" * 64, file="pictures/0.png", origin=ev.Origin.synthetic, round=1)], "1 drawn by a turn"),
        ([ev.Changed(field="looks", before="", after="red hair")], "looks changed"),
        (
            [
                ev.Added(sha256="0" * 64, file="pictures/0.png", origin=ev.Origin.correction),
                ev.Captioned(sha256="0" * 64, text="ada", by="rui"),
                ev.Corrected(sha256="1" * 64, by="rui", replacement="0" * 64),
            ],
            "1 corrected by rui",
        ),
    ],
)
def test_a_step_is_named(ada: Workspace, events: list[ev.Event], words: str) -> None:
    step = ada.record(events)[0].batch
    assert steps.last(ada) == steps.Step(step, words)


@pytest.mark.parametrize("name", ["ada_v1.toml", "..%2fpersona.toml", "persona.toml", "x_v1.safetensors"])
def test_only_exports_are_handed_out(cast: Cast, ada: Workspace, name: str) -> None:
    assert cast.clients["olga"].get(f"{AT}/exports/{name}").status_code == 404


def test_cards_are_shown_side_by_side(cast: Cast, ada: Workspace) -> None:
    for number, version in ((0, 0), (1, 1)):
        folder = ada.folder / "rounds" / f"{number:03d}" / "card"
        folder.mkdir(parents=True)
        told = {
            "version": version,
            "scores": {"diversity": 0.5 + number / 10},
            "pictures": [{"scene": "a", "label": "A"}],
        }
        (folder / "card.json").write_text(json.dumps(told), encoding="utf-8")
        (folder / "a.png").write_bytes(picture(number))
    ada.record([ev.Exported(round=1, version=1, sha256="0" * 64), ev.Carded(round=1, scores={})])
    page = cast.clients["vic"].get(f"{AT}/card/").content.decode()
    assert "0.500" in page
    assert "0.600" in page
    assert "how different the pictures are from each other; more is better" in page
    sent_picture = cast.clients["vic"].get(f"{AT}/card/1/a.png")
    assert b"".join(sent_picture.streaming_content) == picture(1)  # type: ignore[attr-defined]
    assert cast.clients["vic"].get(f"{AT}/card/1/b.png").status_code == 404
    assert "v1" in cast.clients["vic"].get(f"{AT}/exports/").content.decode()


def test_a_file_is_handed_over_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "large.safetensors"
    path.write_bytes(bytes(range(256)) * 1000)

    async def pieces() -> list[bytes]:
        with path.open("rb") as file:
            return [piece async for piece in Handed(file)]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = asyncio.run(pieces())
    assert len(read) > 10
    assert b"".join(read) == path.read_bytes()
