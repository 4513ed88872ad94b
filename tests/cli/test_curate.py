"""`zoetrope curate`."""

from pathlib import Path

from tests.cli.test_persona import run, told
from tests.wheel import cast


def test_a_page_a_summary_and_nothing_changed(tmp_path: Path) -> None:
    run("persona", "new", "ada", "--kind", "drawn", "--consent", "fictional")
    assert "has no pictures to look at" in run("curate", "ada", code=2).stderr
    run("persona", "add", "ada", cast.folder(tmp_path / "drawings", 5))
    before = told("persona", "log", "ada")
    said = run("curate", "ada").stdout
    assert "5 pictures looked at" in said
    assert "No left profile yet" in said
    found = told("curate", "ada")
    assert [each["file"] for each in found["pictures"]] == [f"ada-{n}.png" for n in range(5)]
    assert found["pictures"][0]["width"] == 64
    assert found["coverage"]["facets"]["framing"]["portrait"] == 5
    assert Path(found["page"]).read_text(encoding="utf-8").startswith("<!doctype html>")
    assert told("persona", "log", "ada") == before
    assert told("persona", "doctor", "ada")["healthy"]
