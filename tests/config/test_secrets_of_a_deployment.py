"""With servers named this is a deployment: it starts with good secrets, or says which is not."""

import os
import runpy
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from tests.config.running import environment, manage

GOOD = {
    "DATABASE_URL": "postgres://segue@localhost/segue",
    "REDIS_URL": "redis://localhost/0",
    "SECRET_KEY": "q" * 25 + "W7-xv_" * 10,
    "TOKEN_ENCRYPTION_KEYS": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
    "CONSTANT_CONTACT_CLIENT_ID": "an-application",
    "CONSTANT_CONTACT_CLIENT_SECRET": "of-twenty-letters-or-so",
    "BASE_URL": "https://segue.example.com",
    "ALLOWED_HOSTS": "segue.example.com",
}


def test_good_secrets_start_and_django_has_nothing_to_say_against_the_deployment(
    tmp_path: Path,
) -> None:
    """HTTPS alone, with HSTS; cookies that go no other way; no frames; hosts by name."""
    started = manage(tmp_path, "check", "--deploy", "--fail-level", "INFO", **GOOD)
    assert started.returncode == 0, started.stderr
    # That Django's library of words is replaced is silenced, and has to do with no deployment.
    assert settings.SILENCED_SYSTEM_CHECKS == ["templates.W003"]
    assert "no issues (1 silenced)" in started.stdout
    assert not (tmp_path / "secrets").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "brief"),
        ("TOKEN_ENCRYPTION_KEYS", ""),
        ("TOKEN_ENCRYPTION_KEYS", "x" * 44),
        ("TOKEN_ENCRYPTION_KEYS", GOOD["TOKEN_ENCRYPTION_KEYS"] + ",y"),
        ("CONSTANT_CONTACT_CLIENT_SECRET", ""),
        ("REDIS_URL", ""),
    ],
)
def test_a_missing_or_weak_one_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    for known, good in (GOOD | {name: value}).items():
        monkeypatch.setenv(known, good)
    with pytest.raises(ImproperlyConfigured) as refused:
        runpy.run_path("config/settings.py")
    assert name in str(refused.value)
    if value:
        assert value not in str(refused.value)


def test_what_is_refused_is_the_last_line_that_a_command_says(tmp_path: Path) -> None:
    refused = manage(tmp_path, "check", **GOOD | {"SECRET_KEY": "brief"})
    assert refused.returncode != 0
    assert "SECRET_KEY is too short" in refused.stderr.splitlines()[-1]


def test_on_one_machine_they_are_made_once_and_for_its_user_only(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from config import settings"]
    subprocess.run(command, env=environment(tmp_path), check=True)
    kept = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert set(kept) == {"SECRET_KEY", "TOKEN_ENCRYPTION_KEYS"}
    for path in (tmp_path / "secrets").iterdir():
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    subprocess.run(command, env=environment(tmp_path), check=True)
    assert kept == {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
