"""Captions by a vision-language model in a local folder."""

import json
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.wheel import cast, vlm
from zoetrope.errors import UserError
from zoetrope.wheel.captioners import captioner_named
from zoetrope.wheel.captioners.folder import KNOWN, FolderCaptioner
from zoetrope.wheel.captions import describe
from zoetrope.wheel.intake import add_sources


@pytest.mark.parametrize("kind", KNOWN)
def test_each_known_kind_loads_looks_and_answers(kind: str, tmp_path: Path) -> None:
    captioner = captioner_named(f"folder:{vlm.saved(kind, tmp_path / 'eyes')}")
    assert captioner.name == "model eyes"
    gradient = Image.linear_gradient("L").convert("RGB")
    words = captioner.describe(gradient, "say")
    assert words == captioner.describe(gradient, "say")
    others = {captioner.describe(Image.new("RGB", (90, 60), "red"), "say"), captioner.describe(gradient, "tell me")}
    assert others != {words}
    assert "torchvision" not in sys.modules


def test_its_words_become_captions(tmp_path: Path) -> None:
    ada = cast.ada(tmp_path / "ada")
    add_sources(ada, [cast.folder(tmp_path / "drawings", 2, captions=False)])
    captioner = FolderCaptioner(vlm.saved("llava", tmp_path / "eyes"))
    described = describe(ada, captioner, list(ada.state().pictures.values()), "say")
    assert described.written + len(described.remarks) == 2
    assert all(entry.caption.startswith("ada, ") for entry in ada.state().pictures.values() if entry.caption)


def spoil(folder: Path, name: str, **changes: object) -> None:
    said = json.loads((folder / name).read_text(encoding="utf-8"))
    (folder / name).write_text(json.dumps(said | changes), encoding="utf-8")


def test_what_is_not_opened(tmp_path: Path) -> None:
    folder = vlm.saved("llava", tmp_path / "eyes")
    with pytest.raises(UserError, match="--model is for a server"):
        captioner_named(f"folder:{folder}", "eyes")
    with pytest.raises(UserError, match=r"holds no config\.json"):
        FolderCaptioner(tmp_path / "nowhere")
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(UserError, match="no chat template"):
        FolderCaptioner(folder)
    (folder / "tokenizer.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match="cannot be loaded"):
        FolderCaptioner(folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(UserError, match="no safetensors weights"):
        FolderCaptioner(folder)
    spoil(folder, "config.json", model_type="surprise", auto_map={"AutoModel": "evil.Model"})
    with pytest.raises(UserError, match="is a surprise model; idefics3, llava"):
        FolderCaptioner(folder)


def test_code_in_the_folder_is_not_run(tmp_path: Path) -> None:
    folder = vlm.saved("llava", tmp_path / "eyes")
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Model: pass\n", encoding="utf-8")
    spoil(folder, "config.json", auto_map={"AutoModel": "evil.Model", "AutoConfig": "evil.Model"})
    spoil(folder, "processor_config.json", auto_map={"AutoProcessor": "evil.Model"})
    spoil(folder, "tokenizer_config.json", auto_map={"AutoTokenizer": ["evil.Model", "evil.Model"]})
    FolderCaptioner(folder).describe(Image.new("RGB", (32, 32)), "say")
    assert not (tmp_path / "ran").exists()
