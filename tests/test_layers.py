"""What import-linter cannot see: that starting the command line stays light."""

import resource
import subprocess
import sys

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


def test_asking_an_engine_process_needs_no_torch() -> None:
    libraries = ("torch", "diffusers", "transformers", "peft", "accelerate")
    code = "import sys, zoetrope.engines.local.orders, zoetrope.engines.local.process"
    assert run(f"{code}; print([m for m in {libraries!r} if m in sys.modules])") == "[]\n"


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
