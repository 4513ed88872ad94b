"""What holds in every test: no network, no downloads, and the user's own folders out of reach."""

import os
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any

import django
import pytest
from django.conf import settings
from hypothesis import settings as thinking

# The studio's settings are read once, before any test has its own home; its conftest imports models.
os.environ["ZOETROPE_HOME"] = tempfile.mkdtemp(prefix="zoetrope-tests-")
os.environ["DJANGO_SETTINGS_MODULE"] = "zoetrope.studio.settings"
os.environ.pop("DATABASE_URL", None)
django.setup()
# A login is slow on purpose; what is tested here is not how slow.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_configure() -> None:
    # Read when torch and huggingface_hub are first imported, so it cannot wait for a fixture.
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # A busy machine is no fault of the code.
    thinking.register_profile("patient", deadline=None)
    thinking.load_profile("patient")


def pytest_unconfigure() -> None:
    shutil.rmtree(os.environ["ZOETROPE_HOME"], ignore_errors=True)


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The test's own home; Zoetrope's data folder is `zoetrope` inside it, not yet made."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "HF_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ZOETROPE_HOME", str(home / "zoetrope"))
    return home


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only this machine may be called, and only by its loopback address or a local socket."""

    def guard(connect: Any) -> Any:
        def guarded(self: socket.socket, address: Any) -> Any:
            if self.family != getattr(socket, "AF_UNIX", None) and address[0] not in {"127.0.0.1", "::1", "localhost"}:
                raise PermissionError(f"a test tried to reach {address[0]}")
            return connect(self, address)

        return guarded

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, guard(getattr(socket.socket, name)))
