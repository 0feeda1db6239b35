"""Django's settings, derived from the configuration tree. Nothing here is set elsewhere."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from iam.settings import keys, logs, sources
from iam.settings.databases import databases
from iam.settings.state import restrict_access

BASE_DIR = Path(__file__).resolve().parent.parent.parent
VAR = Path(os.environ.get("GATEHOUSE_VAR", BASE_DIR / "var"))
CONFIG = sources.load()
if CONFIG.embedded:
    restrict_access(VAR, CONFIG.Database.SQLite.Path or str(VAR / "gatehouse.sqlite3"))
elif VAR.is_dir():
    restrict_access(VAR)
_masters = keys.load(VAR, embedded=CONFIG.embedded)


def MASTER_KEYS() -> list[bytes]:
    """The master keys, new one first."""
    if not _masters:
        raise SystemExit("a master key is needed: --masterkey, --masterkeyFile or --masterkeyFromEnv")
    return _masters


def _derived(master: bytes) -> str:
    return hmac.new(master, b"gatehouse django secret", hashlib.sha256).hexdigest()


SECRET_KEY = _derived(_masters[0]) if _masters else secrets.token_hex(32)
SECRET_KEY_FALLBACKS = [_derived(master) for master in _masters[1:]]
DEBUG = False
ALLOWED_HOSTS = ["*"]  # the instance is found by host; a host of no instance is refused there
ROOT_URLCONF = "iam.urls"
WSGI_APPLICATION = "iam.wsgi.application"
ASGI_APPLICATION = "iam.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
APPEND_SLASH = False
LANGUAGE_CODE = "en"
LANGUAGE_COOKIE_NAME = "gatehouse_language"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español")]
LOCALE_PATHS = [BASE_DIR / "iam" / "locale"]
DATABASES = databases(CONFIG, VAR)
if not CONFIG.embedded:
    # libpq sends it with every connection: another style, set for database or user, is one that the driver cannot read
    os.environ["PGDATESTYLE"] = "ISO, MDY"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "eventstore",
    "projections",
    "iam.cache",
    "iam.vault",
    "iam.access",
    "iam.outbox",
    "iam.management",
    "iam.instance",
    "iam.actions",
    "orgs",
    "users",
    "projects",
    "oidc",
    "iam.usage",
    "iam.login",
    "iam.console",
    "iam.api",
]
MIDDLEWARE = [
    "iam.settings.middleware.request_frame",
    "iam.settings.middleware.whole_texts",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "iam.api.doors.limited",
    "iam.api.readable.without_nul",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = None
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-gatehouse_csrf" if CONFIG.ExternalSecure else "gatehouse_csrf"
CSRF_COOKIE_SECURE = CONFIG.ExternalSecure
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
DATA_UPLOAD_MAX_MEMORY_SIZE = CONFIG.Limits.RequestBytes
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Gatehouse API",
    "VERSION": "2",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
}
LOGGING = logs.configuration(CONFIG.Log.Level, CONFIG.Log.Formatter.Format)
