"""What import-linter cannot see: that starting the command line stays light."""

import subprocess
import sys
import time

HEAVY = ("torch", "diffusers", "transformers", "peft", "accelerate", "numpy", "PIL", "django")


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_help_loads_nothing_heavy() -> None:
    loaded = run(
        "import runpy, sys; sys.argv = ['zoetrope', '--help']\n"
        "try: runpy.run_module('zoetrope.cli', run_name='__main__')\n"
        f"except SystemExit as end: print('\\n' + str(end.code), [m for m in {HEAVY!r} if m in sys.modules])"
    )
    assert loaded.splitlines()[-1] == "0 []"


def test_help_answers_at_once() -> None:
    def once() -> float:
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-m", "zoetrope.cli", "--help"], capture_output=True, check=True)
        return time.perf_counter() - begun

    assert min(once() for _ in range(5)) < 0.4
