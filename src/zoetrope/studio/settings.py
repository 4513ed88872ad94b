"""The site's settings. What differs between installations comes from the environment; docs/deployment.md lists it."""

import os
from pathlib import Path

from zoetrope.home import home
from zoetrope.studio.databases import database
from zoetrope.studio.keys import derived, read_secret
from zoetrope.wheel.intake import MOST_FILES

HOME = home()
ROOT = Path(__file__).parent
DEBUG = False
SECRET_KEY = derived(read_secret(HOME), "django")

# A page that another site's name was pointed at (DNS rebinding) is refused: only these names are ours.
_NAMED = (name.strip() for name in os.environ.get("ZOETROPE_HOSTS", "").split(","))
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", *filter(None, _NAMED)]
CSRF_TRUSTED_ORIGINS = [f"https://{name}" for name in ALLOWED_HOSTS[3:]]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "ninja",
    "zoetrope.studio.jobs",
    "zoetrope.studio.spaces",
    "zoetrope.studio.personas",
    "zoetrope.studio.servers",
    "zoetrope.studio.making",
    "zoetrope.studio.workshop",
    "zoetrope.studio.loras",
    "zoetrope.studio.pipelines",
    "zoetrope.studio.voting",
    "zoetrope.studio.comparing",
    "zoetrope.studio.library",
    "zoetrope.studio.writing",
    "zoetrope.studio.planning",
    "zoetrope.studio.publishing",
    "zoetrope.studio.insights",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "zoetrope.studio.middleware.Compressed",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "zoetrope.studio.middleware.content_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "zoetrope.studio.middleware.Gate",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "zoetrope.studio.middleware.Mistakes",
]
ROOT_URLCONF = "zoetrope.studio.urls"
ASGI_APPLICATION = "zoetrope.studio.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "zoetrope.studio.spaces.here.around",
                "zoetrope.studio.spaces.work.around",
                "zoetrope.studio.personas.panels.around",
            ],
            "builtins": ["zoetrope.studio.addresses"],
        },
    }
]
DATABASES = {"default": database(os.environ.get("DATABASE_URL"), HOME)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "spaces.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "zoetrope_session"
CSRF_COOKIE_NAME = "zoetrope_csrf"
# Behind a proxy with TLS the cookies never travel without it.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = os.environ.get("ZOETROPE_TLS") == "1"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SESSION_COOKIE_SECURE else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

STATIC_URL = "/static/"
STATICFILES_DIRS = [ROOT / "static"]
# Each file also lies under a name with the hash of its content, which pages use and browsers keep for ever.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "zoetrope.studio.statics.Hashed"},
}
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "zoetrope.studio.statics.HashedFinder",
]
# Served from the package itself: nothing has to be collected after an installation.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

LANGUAGE_CODE = "en"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True

# Uploads larger than this go to a file at once; how much is taken at all is each view's own limit.
FILE_UPLOAD_MAX_MEMORY_SIZE = 4 << 20
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 << 20
DATA_UPLOAD_MAX_NUMBER_FILES = MOST_FILES

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "zoetrope.studio.logs.Discreet",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        }
    },
    "filters": {"shortened": {"()": "zoetrope.studio.faults.Shortened"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["shortened"]}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
