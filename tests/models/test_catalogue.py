"""The catalogue: shipped and added models, and the file that names them."""

from pathlib import Path

import pytest

from tests import tiny
from zoetrope.errors import UserError
from zoetrope.models import catalogue as module
from zoetrope.models import folders
from zoetrope.models.catalogue import Catalogue
from zoetrope.models.memory import Wish


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue(tmp_path / "home", shipped=tmp_path / "shipped")


def test_an_added_model_is_found_in_another_process(catalogue: Catalogue, tmp_path: Path) -> None:
    catalogue.add("dev", "flux", tiny.saved("dev"), Wish(offload="none"))
    again = Catalogue(tmp_path / "home", shipped=tmp_path / "shipped").find("dev")
    assert (again.family.name, again.folder, again.shipped) == ("flux", tiny.saved("dev").resolve(), False)
    assert again.wish == Wish(offload="none")
    assert again.ref.sha256 == again.sha256 == catalogue.find("dev").sha256


def test_shipped_models_are_found_by_their_folders(tmp_path: Path) -> None:
    tiny.copied("kontext", tmp_path / "shipped" / "some-model")
    models = Catalogue(tmp_path / "home", shipped=tmp_path / "shipped").models()
    assert [(model.name, model.family.name, model.shipped) for model in models] == [
        ("some-model", "flux_kontext", True)
    ]


def test_a_shipped_model_stays(tmp_path: Path) -> None:
    tiny.copied("dev", tmp_path / "shipped" / "some-model")
    with pytest.raises(UserError, match="shipped"):
        Catalogue(tmp_path / "home", shipped=tmp_path / "shipped").remove("some-model")


def test_removing_forgets_the_name_and_keeps_the_files(catalogue: Catalogue) -> None:
    catalogue.add("dev", "flux", tiny.saved("dev"))
    catalogue.remove("dev")
    assert catalogue.models() == []
    assert (tiny.saved("dev") / "model_index.json").is_file()


@pytest.mark.parametrize("name", ["", "Dev", "a b", "../x", "-x", "a/b", "x" * 65, 'a"b', "é"])
def test_names_are_plain(catalogue: Catalogue, name: str) -> None:
    with pytest.raises(UserError, match="cannot be a model's name"):
        catalogue.add(name, "flux", tiny.saved("dev"))


def test_names_are_unique(catalogue: Catalogue) -> None:
    catalogue.add("dev", "flux", tiny.saved("dev"))
    with pytest.raises(UserError, match="already"):
        catalogue.add("dev", "flux", tiny.saved("schnell"))


def test_a_folder_of_another_family_is_refused_and_not_noted(catalogue: Catalogue) -> None:
    with pytest.raises(UserError, match="holds a FluxKontextPipeline"):
        catalogue.add("x", "flux", tiny.saved("kontext"))
    assert not catalogue.file.exists()


def test_an_unknown_name_suggests_the_nearest(catalogue: Catalogue) -> None:
    catalogue.add("flux-dev", "flux", tiny.saved("dev"))
    with pytest.raises(UserError, match="did you mean flux-dev"):
        catalogue.find("flux_dev")
    with pytest.raises(UserError, match="models list"):
        catalogue.find("zzz")


@pytest.mark.parametrize("text", ["models = 3", "[models.x]\nfamily = 1", "[models", "[models.x]\nmore = 1"])
def test_a_broken_file_is_named_and_kept(catalogue: Catalogue, text: str) -> None:
    catalogue.file.parent.mkdir()
    catalogue.file.write_text(text)
    with pytest.raises(UserError, match=r"catalogue\.toml is not readable"):
        catalogue.add("dev", "flux", tiny.saved("dev"))
    assert catalogue.file.read_text() == text


def test_paths_with_quotes_and_letters_survive(catalogue: Catalogue, tmp_path: Path) -> None:
    folder = tiny.copied("dev", tmp_path / 'a "b" \\ é 😀')
    catalogue.add("odd", "flux", folder)
    assert catalogue.find("odd").folder == folder.resolve()


def test_a_changed_folder_has_a_new_hash_and_is_read_once(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny.copied("dev", tmp_path / "model")
    before = catalogue.add("dev", "flux", folder).sha256
    (folder / "vae" / "config.json").write_text((folder / "vae" / "config.json").read_text() + "\n")
    after = catalogue.find("dev").sha256
    assert after != before
    # As a new process would: nothing remembered but the file.
    monkeypatch.setattr(module, "_known_hashes", {})
    monkeypatch.setattr(folders, "content_hash", lambda folder: pytest.fail("read again"))
    assert catalogue.find("dev").sha256 == after


def test_a_vanished_folder_is_named_and_can_be_forgotten(catalogue: Catalogue, tmp_path: Path) -> None:
    folder = tiny.copied("dev", tmp_path / "model")
    catalogue.add("dev", "flux", folder)
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="is not a folder"):
        _ = catalogue.find("dev").sha256
    catalogue.remove("dev")
    assert catalogue.models() == []


def test_a_model_says_how_it_is_held_and_loads(catalogue: Catalogue) -> None:
    model = catalogue.add("schnell", "flux", tiny.saved("schnell"))
    assert model.plan().quantize == "none"
    assert model.load().transformer.config.guidance_embeds is False
