"""Settings, all from the environment. docs/operations.md documents each variable.

One code path serves the embedded default (SQLite, Celery over the file system) and production
(PostgreSQL, Redis): only what is set here differs.
"""

import os
import re
import sys
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from sealing.token import Token

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()


def secret(name: str, default: str = "") -> str:
    """Return a secret from NAME, or from the file that NAME_FILE points to (Docker secrets)."""
    path = os.environ.get(f"{name}_FILE", "")
    if path:
        return Path(path).read_text(encoding="utf-8").strip()
    return os.environ.get(name, default)


# Everything that the running product writes lies under one directory.
STATE_DIR = Path(env.str("STATE_DIR", default=str(BASE_DIR / "var")))

DEBUG = env.bool("DEBUG", default=False)
DEMO = env.bool("DEMO", default=False)
PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
HTTPS = PUBLIC_URL.startswith("https://")

SECRET_KEY = secret("SECRET_KEY")
TESTING = "pytest" in sys.modules
if not SECRET_KEY:
    if not (DEMO or TESTING):
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. Set it (or SECRET_KEY_FILE) to a long random text; "
            "`python3 start.py` makes one under var/ by itself."
        )
    SECRET_KEY = "demo-and-tests-only-" + "x" * 40
# The machine itself may always ask: health probes come from there.
ALLOWED_HOSTS = [*env.list("ALLOWED_HOSTS", default=[]), "127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

INSTALLED_APPS = [
    "revops_registry.apps.ReadingAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.humanize",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_cotton.apps.SimpleAppConfig",
    "django_htmx",
    "lucide",
    "csp",
    "audit",
    "people",
    "notifications",
    "functions_catalog",
    "boundaries",
    "reviews",
    "revops_registry.apps.RegistryConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "revops_registry.headers.HeadersMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "people.middleware.SessionLimitsMiddleware",
    "people.middleware.SecondFactorMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "people.middleware.ReadersTimeZoneMiddleware",
]

ROOT_URLCONF = "revops_registry.urls"
WSGI_APPLICATION = "revops_registry.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "revops_registry.context.company",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django_cotton.cotton_loader.Loader",
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "builtins": [
                "django_cotton.templatetags.cotton",
                "revops_registry.templatetags.icons",
                "people.templatetags.speech",
            ],
        },
    },
]
COTTON_DIR = "components"

# --- Database -------------------------------------------------------------------------------

DATABASES = {
    "default": env.db_url_config(
        secret("DATABASE_URL") or f"sqlite:///{STATE_DIR / 'registry.sqlite3'}"
    )
}
_database = DATABASES["default"]
if _database["ENGINE"] == "django.db.backends.sqlite3":
    _database["OPTIONS"] = {
        # Deferred transactions fail under concurrent writers: they cannot be upgraded.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA recursive_triggers=ON;"
        ),
    }
else:
    _database["CONN_MAX_AGE"] = 60
    _database["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Cache, broker, worker ------------------------------------------------------------------

REDIS_URL = secret("REDIS_URL")
CACHES: dict[str, dict[str, Any]]
if REDIS_URL:
    CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    }
else:
    # Web server and worker are two processes: the cache that they share is a table.
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": "shared_cache",
            # When it is full a third is thrown out: a flood must not make it forget its limits.
            "OPTIONS": {"MAX_ENTRIES": 50_000},
        }
    }

# Images of pages, each named by what it was drawn from: of some 100 kB, and soon drawn anew. Not in
# the shared cache, whose limits on guessing they would push out.
CACHES["pages"] = {
    "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
    "LOCATION": STATE_DIR / "cache" / "pages",
    "TIMEOUT": 7 * 24 * 3600,
    "OPTIONS": {"MAX_ENTRIES": 600},
}

CELERY_BROKER_URL = secret("CELERY_BROKER_URL") or REDIS_URL or "filesystem://"
if CELERY_BROKER_URL.startswith("filesystem://"):
    _broker = STATE_DIR / "broker"
    # One directory for both ways: what the web server sends is what the worker reads.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_broker / "queue"),
        "data_folder_out": str(_broker / "queue"),
        "control_folder": str(_broker / "control"),
        "store_processed": False,
        "polling_interval": 0.2,
    }
    for _folder in ("queue", "control"):
        (_broker / _folder).mkdir(parents=True, exist_ok=True)
else:
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        # Longer than the longest task, so that none is delivered twice while it still runs.
        "visibility_timeout": 3600,
        "unacked_restore_interval": 60,
        "socket_connect_timeout": 3,
    }
    CELERY_TASK_ACKS_LATE = True
    CELERY_TASK_REJECT_ON_WORKER_LOST = True
    CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 2, "interval_start": 0.1, "interval_step": 0.2}
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_TASK_ALWAYS_EAGER = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = str(STATE_DIR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "log-check-of-the-day": {"task": "audit.tasks.check_of_the_day", "schedule": 3600.0},
    "heartbeat": {
        "task": "revops_registry.tasks.heartbeat",
        "schedule": 15.0,
        "options": {"expires": 30},
    },
    "pdfs-owed": {"task": "boundaries.tasks.sweep_owed", "schedule": 60.0},
    "in-force-due": {"task": "boundaries.tasks.bring_due_into_force", "schedule": 60.0},
    "mails-owed": {"task": "notifications.tasks.deliver_owed", "schedule": 60.0},
    "news-digests": {"task": "notifications.tasks.send_digests", "schedule": 300.0},
    "review-reminders": {"task": "reviews.tasks.remind", "schedule": 3600.0},
    "waiting-reminders": {"task": "boundaries.tasks.remind_waiting", "schedule": 3600.0},
    "successions": {"task": "boundaries.tasks.look_after_successions", "schedule": 3600.0},
    "dispute-pages-due": {"task": "boundaries.tasks.open_due_pages", "schedule": 60.0},
    "dispute-reminders": {"task": "boundaries.tasks.remind_of_disputes", "schedule": 3600.0},
    "exceptions": {"task": "boundaries.tasks.look_after_exceptions", "schedule": 3600.0},
    "archive": {"task": "boundaries.tasks.look_after_archive", "schedule": 3600.0},
    "keys-expiring": {"task": "boundaries.tasks.warn_of_expiring_keys", "schedule": 3600.0},
    "appointment-reminders": {
        "task": "people.tasks.remind_of_appointments",
        "schedule": 3600.0,
    },
}

# --- Mail -----------------------------------------------------------------------------------

EMAIL_URL = secret("EMAIL_URL")
if EMAIL_URL:
    vars().update(env.email_url_config(EMAIL_URL))
else:
    # Without a mail server the mails stay readable: the mailbox page shows the outgoing table.
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", default="Boundary Registry <registry@localhost>")

# --- People ---------------------------------------------------------------------------------

AUTH_USER_MODEL = "people.Person"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "people.adapter.InvitationOnlyAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_FORMS = {
    "login": "people.forms.SignInForm",
    "reset_password": "people.forms.ForgottenPasswordForm",
}
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "people.adapter.ResetLinks"  # noqa: S105 - a path
PASSWORD_RESET_TIMEOUT = 3600
# Counted in the cache that all processes share. "key" is the address together with whence it came;
# "anywhere" the address alone, so that many machines cannot guess at one account for ever.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "login_failed_anywhere": "50/h/key",
    "reset_password": "20/m/ip,5/h/key",
    "reset_password_from_key": "20/m/ip",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
}
# A passkey cannot be guessed, each use of one asks twice, and an office has one address.
MFA_RATE_LIMITS = {"webauthn_login": "60/m/ip"}
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "functions_catalog:lookup"

# Who must have a passkey or a code generator: "offices" (whoever holds one), "everybody", "nobody".
# Where nobody must, a password alone signs, and the record says "password only".
REQUIRE_SECOND_FACTOR = env.str(
    "REQUIRE_SECOND_FACTOR", default="nobody" if DEMO or TESTING else "offices"
)
if REQUIRE_SECOND_FACTOR not in {"offices", "everybody", "nobody"}:
    raise ImproperlyConfigured(
        f"REQUIRE_SECOND_FACTOR is offices, everybody or nobody, not {REQUIRE_SECOND_FACTOR!r}."
    )
MFA_ADAPTER = "people.factors.FactorAdapter"
MFA_FORMS = {
    "authenticate": "people.factor_forms.SignInCodeForm",
    "authenticate_webauthn": "people.factor_forms.SecondStepPasskeyForm",
    "login_webauthn": "people.factor_forms.SignInPasskeyForm",
    "reauthenticate": "people.factor_forms.ConfirmCodeForm",
    "reauthenticate_webauthn": "people.factor_forms.ConfirmPasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# A key without its PIN or finger proves that the key is there, not who holds it.
MFA_WEBAUTHN_USER_VERIFICATION = "required"
# http://localhost is accepted anyway; any other address has to be one that browsers trust.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = False
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TRUST_ENABLED = False
# Accounts come by an invitation mailed to the address: it is verified by that.
MFA_ALLOW_UNVERIFIED_EMAIL = True

# A session ends after so many minutes without a request, and in any case after so many hours.
SESSION_IDLE_MINUTES = env.int("SESSION_IDLE_MINUTES", default=30)
SESSION_HOURS = env.int("SESSION_HOURS", default=12)
# Kept for a day more, so that whoever comes back too late is told why.
SESSION_COOKIE_AGE = (SESSION_HOURS + 24) * 3600
INVITATION_DAYS = env.int("INVITATION_DAYS", default=14)

# Single sign-on, when an issuer is named. Who somebody is follows from issuer and `sub`.
OIDC_ISSUER = env.str("OIDC_ISSUER", default="").rstrip("/")
OIDC_CLIENT_ID = env.str("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET = secret("OIDC_CLIENT_SECRET")
OIDC_NAME = env.str("OIDC_NAME", default="Single sign-on")
# E-mail domains that may come in; empty: any that the issuer vouches for.
OIDC_DOMAINS = [one.lower() for one in env.list("OIDC_DOMAINS", default=[])]
# Whether somebody unknown gets an account (of a Member) at their first sign-in.
OIDC_PROVISION = env.bool("OIDC_PROVISION", default=False)
# Whether who has no passkey may sign by confirming anew at the issuer.
OIDC_MAY_SIGN = env.bool("OIDC_MAY_SIGN", default=True)
if OIDC_ISSUER and not OIDC_CLIENT_ID:
    raise ImproperlyConfigured(
        "OIDC_ISSUER is set and OIDC_CLIENT_ID is not. Register this registry at the issuer and "
        "set OIDC_CLIENT_ID (and OIDC_CLIENT_SECRET or its file), or unset OIDC_ISSUER."
    )
if OIDC_ISSUER and not re.match(r"https://|http://(localhost|127\.0\.0\.1)[:/]", OIDC_ISSUER):
    raise ImproperlyConfigured(
        f"OIDC_ISSUER must begin with https://, not {OIDC_ISSUER!r}: who vouches for people must "
        "be who it says."
    )
SOCIALACCOUNT_ADAPTER = "people.single_sign_on.SingleSignOnAdapter"
SOCIALACCOUNT_ONLY = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_LOGIN_ON_GET = False

# --- Time and words -------------------------------------------------------------------------

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
# The company's own zone: effective dates begin and limits end in it.
TIME_ZONE = env.str("TIME_ZONE", default="America/New_York")

# --- Static files ---------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(STATE_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        # Compressing the API-docs assets takes half a minute: only the Docker build does it.
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if env.bool("COMPRESS_STATIC", default=False)
            else "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
        )
    },
}

# --- Keys and sealing -----------------------------------------------------------------------

KEYS_DIR = Path(env.str("KEYS_DIR", default=str(STATE_DIR / "keys")))
KEYS_SECRET = secret("KEYS_SECRET") or ("demo-keys-secret" if DEMO or TESTING else "")
# The organisation's seal may have its key in a hardware security module (PKCS#11).
PKCS11_MODULE = env.str("PKCS11_MODULE", default="")
SEAL_TOKEN = (
    Token(
        module=PKCS11_MODULE,
        token_label=env.str("PKCS11_TOKEN", default="revops-registry"),
        pin=secret("PKCS11_PIN"),
        key_label=env.str("PKCS11_KEY", default="seal"),
    )
    if PKCS11_MODULE
    else None
)
# An RFC 3161 authority; without one the registry's own timestamps, and the verdict says so.
TSA_URL = env.str("TSA_URL", default="")

# --- API ------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "knox.auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 50,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
REST_KNOX = {
    "TOKEN_TTL": None,  # `manage issue_token --days` sets one
    "AUTH_HEADER_PREFIX": "Bearer",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "RevOps Boundary Registry",
    "DESCRIPTION": (
        "Look up who owns a revenue operations function, today and on any date, and read "
        "boundary documents. Read only: a token never agrees, signs, approves or rules."
    ),
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {"RevisionState": "boundaries.states.State"},
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# --- Security -------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
# Within the registry the full address (forms are checked by it), elsewhere none.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
# Then the proxy, and nobody else, says who asks and whether over TLS.
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    # Without it all who sign in are one address, and a stranger's guesses lock everybody out.
    ALLAUTH_TRUSTED_PROXY_COUNT = 1
# A PDF of up to 10 MB is judged in memory: it never touches the disk.
FILE_UPLOAD_MAX_MEMORY_SIZE = 11_000_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 11_000_000
# The form of an article has up to 62 entries of a dozen fields, and functions ticked in each.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 3_000

# --- Logging --------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        # It warns that the embedded broker has no host name, each time.
        "kombu.connection": {"level": "ERROR"},
        # WeasyPrint and pyHanko narrate; their errors still come as exceptions.
        "weasyprint": {"level": "ERROR"},
        "fontTools": {"level": "ERROR"},
        "pyhanko": {"level": "ERROR"},
        "pyhanko_certvalidator": {"level": "ERROR"},
    },
}
