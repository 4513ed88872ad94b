"""The studio's own settings, with the kinds of jobs that tests enqueue."""

from zoetrope.studio.settings import *  # noqa: F403
from zoetrope.studio.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.studio.jobs.trial.TrialConfig"]
