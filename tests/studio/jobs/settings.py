"""As little of Django as jobs need; the test's home and DATABASE_URL decide where things lie."""

import os

from zoetrope.home import home
from zoetrope.studio.databases import database

SECRET_KEY = "tests"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["zoetrope.studio.jobs", "tests.studio.jobs.trial.TrialConfig"]
DATABASES = {"default": database(os.environ.get("DATABASE_URL"), home())}
