"""Older and newer workspaces: what is older is migrated, what is newer is left alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.wheel import cast
from zoetrope.errors import UserError
from zoetrope.wheel import migrate as migrations
from zoetrope.wheel.migrate import MIGRATIONS, RECORD, migrate
from zoetrope.wheel.workspace import Workspace, find_workspace, open_workspace

# As it was written before repeats, and others, were.
MANIFEST: dict[str, Any] = {
    "schema_version": 1,
    "round": 1,
    "pictures": [{"sha256": "ab", "caption": "portrait of ada"}],
}


@pytest.fixture
def older(tmp_path: Path) -> Workspace:
    ada = cast.ada(tmp_path / "ada")
    (ada.folder / RECORD).unlink()
    (ada.folder / "rounds" / "001").mkdir(parents=True)
    (ada.folder / "rounds" / "001" / "manifest.json").write_text(json.dumps(MANIFEST), encoding="utf-8")
    return ada


def manifest(ada: Workspace) -> Any:
    return json.loads((ada.folder / "rounds" / "001" / "manifest.json").read_text(encoding="utf-8"))


def test_a_new_workspace_is_up_to_date(tmp_path: Path) -> None:
    ada = cast.ada(tmp_path / "ada")
    assert open_workspace(str(ada.folder)).name == "ada"
    assert migrate(ada) == migrations.Migrated((), tuple(MIGRATIONS))


def test_an_older_workspace_asks_to_be_migrated_and_then_opens(older: Workspace) -> None:
    with pytest.raises(UserError, match=r"older Zoetrope and nothing was changed: .*`zoetrope persona migrate ada`"):
        open_workspace(str(older.folder))
    assert manifest(older) == MANIFEST
    assert migrate(find_workspace(str(older.folder))).applied == tuple(MIGRATIONS)
    assert manifest(older)["pictures"] == [{**MANIFEST["pictures"][0], "repeats": 1}]
    assert migrate(open_workspace(str(older.folder))).applied == ()


def test_what_has_the_new_form_already_is_left_alone(older: Workspace) -> None:
    said = {**MANIFEST, "pictures": [{"sha256": "ab", "caption": "", "repeats": 3}]}
    path = older.folder / "rounds" / "001" / "manifest.json"
    path.write_text(json.dumps(said), encoding="utf-8")
    before = path.read_bytes()
    migrate(older)
    assert path.read_bytes() == before


def test_a_crash_between_two_migrations_loses_neither(older: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def crash(folder: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(MIGRATIONS, "0900_first", lambda folder: seen.append("first"))
    monkeypatch.setitem(MIGRATIONS, "0901_second", crash)
    with pytest.raises(KeyboardInterrupt):
        migrate(older)
    monkeypatch.setitem(MIGRATIONS, "0901_second", lambda folder: seen.append("second"))
    done = migrate(older)
    assert (done.applied, seen) == (("0901_second",), ["first", "second"])
    assert done.known == (*list(MIGRATIONS)[:-2], "0900_first")


def test_a_newer_workspace_asks_for_an_update(older: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(older)
    (older.folder / RECORD).write_text(json.dumps({"applied": [*MIGRATIONS, "0999_later"]}), encoding="utf-8")
    for opening in (lambda: open_workspace(str(older.folder)), lambda: migrate(older)):
        with pytest.raises(UserError, match=r"newer Zoetrope \(0999_later\); update Zoetrope"):
            opening()


def test_a_damaged_record_is_kept_and_named(older: Workspace) -> None:
    (older.folder / RECORD).write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match=r"migrations\.json could not be read; it was kept"):
        migrate(older)


def test_no_migration_while_a_training_writes(older: Workspace) -> None:
    with older.training(), pytest.raises(UserError, match="ada is being trained already"):
        migrate(Workspace(older.folder))


def test_a_record_of_another_form_is_one_sentence(tmp_path: Path) -> None:
    folder = cast.ada(tmp_path / "ada").folder
    (folder / RECORD).write_text('{"applied": 5}', encoding="utf-8")
    with pytest.raises(UserError, match="is not what Zoetrope wrote"):
        open_workspace(str(folder))


@pytest.mark.parametrize("pictures", ["3", "[3]"])
def test_a_manifest_of_another_form_is_one_sentence(older: Workspace, pictures: str) -> None:
    manifest = next(older.folder.glob("rounds/*/manifest.json"))
    manifest.write_text(f'{{"pictures": {pictures}}}', encoding="utf-8")
    with pytest.raises(UserError, match="is not what Zoetrope wrote"):
        migrate(older)


def test_a_record_without_end_is_one_sentence(older: Workspace) -> None:
    (older.folder / RECORD).write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(UserError, match=r"migrations\.json could not be read; it was kept"):
        migrate(older)
