"""The only reader of the environment. A name that is set wrongly stops the start, with the reason.

| name | default | meaning |
|---|---|---|
| HOST, PORT | 127.0.0.1, 8000 | where the gateway listens |
| DATABASE_URL | SQLite in the data folder | `postgres://user:password@host:port/name` |
| REDIS_URL | none | broker for Celery; without it, folders in the data folder |
| TOLLGATE_DATA | ./var | database, secrets, broker folders, journal |
| TOLLGATE_CORS_ORIGINS | * | origins that may call the API from a browser, comma-separated |
| TOLLGATE_HOSTS | * | host names that the console and REST API answer to, comma-separated |
| TOLLGATE_PUBLIC_URL | none | where browsers find the console; https makes its cookies secure |
| TOLLGATE_SIMULATOR_URL | none | answers for providers that have no key in the environment |
| TOLLGATE_SIMULATOR_REFUSE_URL | none | an address that refuses connections, for `sim-refuse` |
| TOLLGATE_TOKEN_LIMIT | 128000 | input plus output tokens of one call |
| TOLLGATE_FIRST_BYTE_SECONDS | 60 | wait for the first byte of a provider's stream |
| TOLLGATE_ANSWER_SECONDS | 300 | wait for a provider's whole answer |
| TOLLGATE_TOTAL_SECONDS | 600 | a whole call at a provider |
| TOLLGATE_DRAIN_SECONDS | 30 | how long a stopping gateway waits for calls under way |
| TOLLGATE_CLOCK_SHIFT_SECONDS | 0 | moves the ledger's clock; for tests only |
| OPENAI_API_KEY, OPENAI_BASE_URL, ... | none | credentials of the providers, by their own names |
"""

from __future__ import annotations

import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from csp import constants as csp
from django.core.exceptions import ImproperlyConfigured

from gateway_project import secrets
from providers.catalog import VARIABLES


def _integer(name: str, default: int, low: int, high: int) -> int:
    text = os.environ.get(name, "")
    if not text:
        return default
    if not text.lstrip("-").isascii() or not text.lstrip("-").isdigit():
        raise ImproperlyConfigured(f"{name} must be a whole number, not {text!r}")
    if not low <= int(text) <= high:
        raise ImproperlyConfigured(f"{name} must be between {low} and {high}, not {text}")
    return int(text)


def _names(name: str, default: str) -> list[str]:
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


POSTGRES_SESSION = (
    "-c lock_timeout=5s -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s"
)


def _postgres(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise ImproperlyConfigured("DATABASE_URL must read postgres://user:password@host:port/name")
    given = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    options = {"options": POSTGRES_SESSION, **given}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(options.pop("host", "") or parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }


# Tests that run side by side have a file each; the gate needs a file, so memory will not do.
TEST_FILE = str(Path(tempfile.gettempdir()) / f"tollgate-test-{os.getpid()}.sqlite3")


def _sqlite(path: Path) -> dict[str, Any]:
    return {
        "ENGINE": "gateway_project.sqlite",
        "NAME": str(path),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
        "TEST": {"NAME": TEST_FILE},
    }


BASE_DIR = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("TOLLGATE_DATA") or BASE_DIR / "var").resolve()
SECRETS = secrets.load(DATA)
HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = _integer("PORT", 8000, 1, 65535)

TOKEN_LIMIT = _integer("TOLLGATE_TOKEN_LIMIT", 128_000, 1, 100_000_000)
FIRST_BYTE_SECONDS = _integer("TOLLGATE_FIRST_BYTE_SECONDS", 60, 1, 3600)
ANSWER_SECONDS = _integer("TOLLGATE_ANSWER_SECONDS", 300, 1, 7200)
TOTAL_SECONDS = _integer("TOLLGATE_TOTAL_SECONDS", 600, 1, 7200)
DRAIN_SECONDS = _integer("TOLLGATE_DRAIN_SECONDS", 30, 0, 3600)
CLOCK_SHIFT_SECONDS = _integer("TOLLGATE_CLOCK_SHIFT_SECONDS", 0, -(10**9), 10**9)
CORS_ORIGINS = _names("TOLLGATE_CORS_ORIGINS", "*")
SIMULATOR_URL = os.environ.get("TOLLGATE_SIMULATOR_URL", "")
SIMULATOR_REFUSE_URL = os.environ.get("TOLLGATE_SIMULATOR_REFUSE_URL", "")
PROVIDER_ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name in VARIABLES and value
}

PUBLIC_URL = (os.environ.get("TOLLGATE_PUBLIC_URL") or "").rstrip("/")
if PUBLIC_URL and not PUBLIC_URL.startswith(("http://", "https://")):
    raise ImproperlyConfigured("TOLLGATE_PUBLIC_URL must read https://tollgate.example.com")

SECRET_KEY = SECRETS.django_secret
DEBUG = False
ALLOWED_HOSTS = _names("TOLLGATE_HOSTS", "*")
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
ROOT_URLCONF = "gateway_project.urls"
ASGI_APPLICATION = "gateway_project.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 1024 * 1024  # as the edge bounds every body
# Only `runserver` needs daphne's command; Twisted's 20 MB and 0.4 s stay out of all else.
INSTALLED_APPS = [
    *(["daphne"] if sys.argv[1:2] == ["runserver"] else []),
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "budgets.apps.BudgetsConfig",
    "audit.apps.AuditConfig",
    "gateway_project.apps.GatewayConfig",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
# Not an installed app: those are loaded at the start, and this one brings psycopg along.
TABLES = Path(getattr(find_spec("django_tables2"), "origin", "")).parent
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates", TABLES / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "libraries": {"django_tables2": "django_tables2.templatetags.django_tables2"},
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "gateway_project.console.frame.context",
            ],
        },
    }
]
DATABASE_URL = os.environ.get("DATABASE_URL", "")
DATABASES = {
    "default": _postgres(DATABASE_URL) if DATABASE_URL else _sqlite(DATA / "tollgate.sqlite3")
}
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "gateway_project" / "static"]
WHITENOISE_USE_FINDERS = True  # served from where they are: nothing to collect before a start
WHITENOISE_AUTOREFRESH = False

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "gateway_project.console.accounts.Accounts"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
MFA_ADAPTER = "gateway_project.console.accounts.SecondFactors"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Tollgate"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "tollgate_session", "tollgate_csrf"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
CSRF_FAILURE_VIEW = "gateway_project.console.frame.no_csrf"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [csp.NONE],
        "script-src": [csp.SELF],
        "style-src": [csp.SELF],
        "img-src": [csp.SELF, "data:"],
        "font-src": [csp.SELF],
        "connect-src": [csp.SELF],
        "form-action": [csp.SELF],
        "base-uri": [csp.NONE],
        "frame-ancestors": [csp.NONE],
    }
}
DJANGO_TABLES2_TEMPLATE = "console/table.html"
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "gateway_project.errors.answer_rest_error",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tollgate management API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "PREPROCESSING_HOOKS": ["gateway_project.control.schema.only_ours"],
    "SCHEMA_PATH_PREFIX": "/api",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
REDIS_URL = os.environ.get("REDIS_URL", "")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "gateway_project.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "uvicorn": {"level": "WARNING", "handlers": [], "propagate": True},
        "uvicorn.error": {"level": "WARNING", "handlers": [], "propagate": True},
        "uvicorn.access": {"handlers": [], "propagate": False},  # else it makes lines for nobody
    },
}
