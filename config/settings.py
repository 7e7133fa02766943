"""Settings from the environment, under the design's names; they work as they are on one machine."""

from datetime import timedelta
from pathlib import Path

from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy
from environs import Env, validate

from config import (
    database_roles,
    embedded,
    issuers,
    last_up,
    local_secrets,
    logs,
    row_security,
    silence,
)

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()

# With no servers named, this is one machine of one person: embedded services, generated secrets.
IS_LOCAL = not env.str("DATABASE_URL", default="")
LAST_UP = last_up.remembered() if IS_LOCAL else {}
DEBUG = env.bool("DEBUG", default=False)


def secret(name: str, *, at_least: int) -> str:
    value = env.str(name, default="")
    if not value and IS_LOCAL:
        return local_secrets.secret(name)
    if len(value) < at_least:
        raise ImproperlyConfigured(
            f"{name} is {'too short' if value else 'missing'}:"
            f" set it to a secret of at least {at_least} characters"
            " (docs/operations.md says how to make one)."
        )
    return value


SECRET_KEY = secret("SECRET_KEY", at_least=50)
TOKEN_ENCRYPTION_KEYS = [
    key.strip() for key in secret("TOKEN_ENCRYPTION_KEYS", at_least=44).split(",") if key.strip()
]
if local_secrets.has_weak_key(TOKEN_ENCRYPTION_KEYS):
    raise ImproperlyConfigured(
        "TOKEN_ENCRYPTION_KEYS holds something that is no Fernet key, or one of no strength:"
        " separate keys by commas, and make them as docs/operations.md says."
    )

BASE_URL = env.str("BASE_URL", default=LAST_UP.get("BASE_URL", "http://localhost:8000")).rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = [BASE_URL]

INSTALLED_APPS = [
    "config",
    "workspaces",
    "segments",
    "connections",
    "exports",
    "api",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "django_htmx",
    "rules.apps.AutodiscoverRulesConfig",
]

MIDDLEWARE = [
    "config.observed.ObservedMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.turns.TurnsMiddleware",
    "config.compression.PagesCompressedMiddleware",
    "config.security_headers.SecurityHeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "workspaces.sessions.SessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "workspaces.middleware.WorkspaceMiddleware",
    "api.middleware.ApiMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# Django's library of words is replaced on purpose.
SILENCED_SYSTEM_CHECKS = ["templates.W003"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "libraries": {"i18n": "config.quick_tags"},
            "builtins": ["config.quick_tags"],
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "workspaces.context_processors.workspace",
            ],
        },
    },
]

DATABASES = {
    "default": env.dj_db_url(
        "DATABASE_URL", default=embedded.database_url(), conn_max_age=600, conn_health_checks=True
    )
}
DATABASES["default"]["OPTIONS"] = {
    **silence.database_options(),
    **DATABASES["default"].get("OPTIONS", {}),
    "assume_role": database_roles.WORK_ROLE,
    "cursor_factory": row_security.ScopedCursor,
}
REDIS_URL = env.str("REDIS_URL", default="") or (embedded.redis_url() if IS_LOCAL else "")
if not REDIS_URL:
    raise ImproperlyConfigured("REDIS_URL is missing: with DATABASE_URL set, it is needed too.")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": silence.REDIS_OPTIONS,
    }
}

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1).replace(
    "?db=", "?virtual_host=", 1
)
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "segments.tasks.*": {"queue": "data"},
    "exports.tasks.*": {"queue": "runs"},
    # Beside the runs, not behind them: somebody looks at the page.
    "exports.tasks.make_preview": {"queue": "default"},
    "workspaces.tasks.make_archive": {"queue": "data"},
    "workspaces.tasks.delete_workspace": {"queue": "data"},
}
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3 * 3600, **silence.broker_options()}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "config.beat:Scheduler"
CELERY_BEAT_SCHEDULE = {
    "show that scheduler and workers are alive": {
        "task": "config.heartbeat.beat",
        "schedule": timedelta(seconds=20),
        "options": {"expires": 60},
    },
    "start what is due": {
        "task": "workspaces.tasks.start_due",
        "schedule": timedelta(seconds=20),
        "options": {"expires": 60},
    },
    "send notices that are due": {
        "task": "workspaces.tasks.send_notices",
        "schedule": timedelta(seconds=20),
        "options": {"expires": 60},
    },
    "forget old notices and events": {
        "task": "workspaces.tasks.forget_old_notices",
        "schedule": timedelta(hours=12),
        "options": {"expires": 3600},
    },
    "resume imports and refreshes that lost their worker": {
        "task": "segments.tasks.sweep",
        "schedule": timedelta(seconds=30),
        "options": {"expires": 60},
    },
    "forget what of the audit log is older than its workspace keeps": {
        "task": "workspaces.tasks.forget_old_audit",
        "schedule": timedelta(hours=24),
        "options": {"expires": 3600},
    },
    "delete what workspaces keep no longer": {
        "task": "workspaces.tasks.prune",
        "schedule": crontab(hour=3, minute=10),
        "options": {"expires": 3600},
    },
    "encrypt erasures' secrets with the key in use": {
        "task": "segments.tasks.renew_erasure_secrets",
        "schedule": timedelta(hours=12),
        "options": {"expires": 3600},
    },
    "clear uploads that nobody goes on with": {
        "task": "segments.tasks.clear_old_uploads",
        "schedule": timedelta(hours=1),
        "options": {"expires": 3600},
    },
    "clear files of imports that nobody wants any more": {
        "task": "segments.tasks.clear_old_files",
        "schedule": timedelta(hours=1),
        "options": {"expires": 3600},
    },
    "resume runs that lost their worker": {
        "task": "exports.tasks.sweep",
        "schedule": timedelta(seconds=30),
        "options": {"expires": 60},
    },
}

AUTH_USER_MODEL = "workspaces.User"
AUTHENTICATION_BACKENDS = ["workspaces.backends.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_REDIRECT_URL = reverse_lazy("home")
LOGIN_URL = reverse_lazy("account_login")
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_ADAPTER = "workspaces.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "workspaces.account_forms.LoginForm",
    "signup": "workspaces.account_forms.SignupForm",
    "add_email": "workspaces.account_forms.AddEmailForm",
    "change_password": "workspaces.account_forms.ChangePasswordForm",
    "reset_password": "workspaces.account_forms.ResetPasswordForm",
    "reset_password_from_key": "workspaces.account_forms.ResetPasswordKeyForm",
    "set_password": "workspaces.account_forms.SetPasswordForm",
    "reauthenticate": "workspaces.account_forms.ReauthenticateForm",
}
ACCOUNT_LOGOUT_REDIRECT_URL = reverse_lazy("account_login")

MFA_ADAPTER = "workspaces.adapter.TwoStepAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Segue"
# Clocks differ, and people take their time to type: the code before and the next one do as well.
MFA_TOTP_TOLERANCE = 1
MFA_FORMS = {
    "authenticate": "workspaces.two_step_forms.CodeForm",
    "reauthenticate": "workspaces.two_step_forms.CodeAgainForm",
    "activate_totp": "workspaces.two_step_forms.ActivateAppForm",
    "add_webauthn": "workspaces.two_step_forms.AddPasskeyForm",
    "edit_webauthn": "workspaces.two_step_forms.RenamePasskeyForm",
}
USERSESSIONS_TRACK_ACTIVITY = True

SOCIALACCOUNT_ADAPTER = "workspaces.adapter.IssuerAdapter"
SOCIALACCOUNT_REAUTHENTICATION_REQUIRED = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_FORMS = {"signup": "workspaces.account_forms.IssuerSignupForm"}
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": issuers.named(env, only_https=not IS_LOCAL)}}

DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Segue <segue@localhost>")
if env.str("EMAIL_URL", default=""):
    _email = env.dj_email_url("EMAIL_URL")
    EMAIL_BACKEND = _email["EMAIL_BACKEND"]
    EMAIL_HOST, EMAIL_PORT = _email["EMAIL_HOST"], _email["EMAIL_PORT"]
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _email["EMAIL_HOST_USER"], _email["EMAIL_HOST_PASSWORD"]
    EMAIL_USE_TLS, EMAIL_USE_SSL = _email["EMAIL_USE_TLS"], _email["EMAIL_USE_SSL"]
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = embedded.data_dir() / "mail"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ca", "Català"), ("es", "Español")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["config.formats"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = IS_LOCAL or DEBUG
UPLOAD_DIR = env.path("UPLOAD_DIR", default=embedded.data_dir() / "uploads")
MAX_UPLOAD_BYTES = env.int("MAX_UPLOAD_BYTES", default=5 * 1024**3)
MAX_UNPACKED_BYTES = env.int("MAX_UNPACKED_BYTES", default=2 * MAX_UPLOAD_BYTES)
# Where a member may let the system read: see docs/operations.md.
SQL_SOURCES_ALLOW_PRIVATE = env.bool("SQL_SOURCES_ALLOW_PRIVATE", default=False)
SQL_SOURCES_FILE_DIR = env.str("SQL_SOURCES_FILE_DIR", default="")
SQL_SOURCES_SECONDS = env.int("SQL_SOURCES_SECONDS", default=3600)
WEBHOOKS_ALLOW_PRIVATE = env.bool("WEBHOOKS_ALLOW_PRIVATE", default=False)
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "config.form_uploads.BoundedUploadHandler",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if WHITENOISE_USE_FINDERS
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

API_RATE_PER_MINUTE = env.int("API_RATE_PER_MINUTE", default=600)
# How many proxies of ours a request passes: the address before them is the client's.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_ENGINE = "workspaces.session_store"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
if BASE_URL.startswith("https://"):
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True


def of_constant_contact(name: str, default: str = "") -> str:
    name = f"CONSTANT_CONTACT_{name}"
    return env.str(name, default=LAST_UP.get(name, default))


CONSTANT_CONTACT_CLIENT_ID = of_constant_contact("CLIENT_ID")
CONSTANT_CONTACT_CLIENT_SECRET = (
    of_constant_contact("CLIENT_SECRET")
    if IS_LOCAL or not CONSTANT_CONTACT_CLIENT_ID
    else secret("CONSTANT_CONTACT_CLIENT_SECRET", at_least=16)
)
CONSTANT_CONTACT_AUTH_URL = of_constant_contact(
    "AUTH_URL", "https://authz.constantcontact.com/oauth2/default"
).rstrip("/")
CONSTANT_CONTACT_API_URL = of_constant_contact("API_URL", "https://api.cc.email/v3").rstrip("/")
CONSTANT_CONTACT_RATE_PER_SECOND = env.int("CONSTANT_CONTACT_RATE_PER_SECOND", default=4)
CONSTANT_CONTACT_RATE_PER_DAY = env.int("CONSTANT_CONTACT_RATE_PER_DAY", default=10_000)

LOGGING = logs.configuration(
    level=env.str("LOG_LEVEL", default="INFO"),
    form=env.str(
        "LOG_FORMAT",
        default="plain" if IS_LOCAL else "json",
        validate=validate.OneOf(logs.FORMS),
    ),
)
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Whoever asks for /metrics must bring it; without one, only a system on one machine tells them.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
