"""Where Zoetrope keeps a user's data."""

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """The data folder: `ZOETROPE_HOME`, or the platform's user data folder. It is not created here."""
    named = os.environ.get("ZOETROPE_HOME")
    return Path(named).expanduser() if named else Path(platformdirs.user_data_dir("zoetrope"))
