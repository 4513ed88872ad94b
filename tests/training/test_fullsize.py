"""The full-size benchmark on a base that a processor can hold: its code runs, and where there is no GPU it says so."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import fullsize, run_all

SMALL = fullsize.Shape(layers=(1, 1), heads=2, head_dim=32, words=32, pooled=32, sides=(64,), matrix=64)


def test_a_small_base_gives_a_row_for_blocks_remembered_and_again(tmp_path: Path) -> None:
    rows = list(fullsize.measure(tmp_path, SMALL, "cpu", ["none"]))
    assert [(row["base"], row["side"], row["blocks"]) for row in rows] == [
        ("bf16", 64, "remembered"),
        ("bf16", 64, "again"),
    ]
    assert all(row["seconds"] > row["floor"] > 0 for row in rows)
    assert list(fullsize.bars_of(rows)) == ["step_over_plain_bf16_64"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="here it would measure")
def test_without_a_gpu_it_says_so_and_is_no_failure() -> None:
    command = [sys.executable, fullsize.__file__, "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0
    assert "has no CUDA device" in done.stderr
    assert json.loads(done.stdout)["bars"] == {}
    assert run_all.section({}).startswith("Not measured on this machine")
