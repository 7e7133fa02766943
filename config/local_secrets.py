"""Secrets of a machine that has been given none: made once, kept beside its data."""

import base64
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet

from config import embedded

MAKERS = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(64),
    "TOKEN_ENCRYPTION_KEYS": lambda: Fernet.generate_key().decode(),
}


def secret(name: str) -> str:
    """The secret of that name; the first process to ask makes it, readable by its user only."""
    path = embedded.data_dir() / "secrets" / name
    if not path.exists():
        _make(path, MAKERS[name]())
    return path.read_text().strip()


def has_weak_key(keys: list[str]) -> bool:
    """Whether any is not a Fernet key, or one that somebody typed, all of one byte."""
    try:
        return any(len(set(base64.urlsafe_b64decode(key))) < 8 or not Fernet(key) for key in keys)
    except ValueError:
        return True


def _make(path: Path, value: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(value)
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
