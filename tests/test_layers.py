"""What import-linter cannot see: that starting the command line stays light."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    "code",
    [
        "import zoetrope.engines.local.orders, zoetrope.engines.local.process",
        "import zoetrope.studio.asgi, django.urls; django.urls.get_resolver().url_patterns",
    ],
    ids=["who asks an engine process", "the site"],
)
def test_what_draws_nothing_itself_needs_no_torch(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOETROPE_HOME", str(tmp_path))
    libraries = ("torch", "diffusers", "transformers", "peft", "accelerate", "sklearn", "scipy", "cv2")
    assert run(f"import sys; {code}; print([m for m in {libraries!r} if m in sys.modules])") == "[]\n"


def test_help_answers_at_once() -> None:
    """By processor time, which is the waiting time of a machine that has nothing else to do."""

    def spent() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    def once() -> float:
        before = spent()
        subprocess.run([sys.executable, "-m", "zoetrope.cli", "--help"], capture_output=True, check=True)
        return spent() - before

    assert min(once() for _ in range(5)) < 0.4
