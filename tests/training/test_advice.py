"""When to stop: read off the curves, or said to be unknown."""

from pathlib import Path
from typing import Any

from zoetrope.training.advice import advice, read_metrics


def _curve(losses: list[float], validations: list[float] | None = None) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = [{"step": 10 * (i + 1), "loss": loss} for i, loss in enumerate(losses)]
    for line, value in zip(lines, validations or [], strict=False):
        line["validation"] = value
    return lines


def test_held_out_pictures_decide_where_there_are_some() -> None:
    falling = [1.0] * 12
    assert "lowest at step 20 and rose by 50%" in advice(_curve(falling, [1.2, 1.0, 1.3, 1.5]))
    assert "still falling" in advice(_curve(falling, [1.2, 1.0, 0.9]))
    assert "stood still since step 20" in advice(_curve(falling, [1.2, 1.0, 1.001]))


def test_the_loss_decides_otherwise() -> None:
    assert "still fell by" in advice(_curve([1.0 - 0.04 * step for step in range(20)]))
    assert "has not fallen since about step 130" in advice(_curve([1.0 - 0.1 * min(step, 5) for step in range(20)]))


def test_few_points_say_nothing() -> None:
    assert "Too short" in advice(_curve([1.0, 0.9]))
    assert "Too short" in advice([])


def test_a_torn_line_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    file.write_text('{"step": 10, "loss": 1.0}\n{"step": 20, "lo', encoding="utf-8")
    assert read_metrics(file) == [{"step": 10, "loss": 1.0}]
    assert read_metrics(tmp_path / "none.jsonl") == []
