"""What is kept secret in the database: encrypted with TOKEN_ENCRYPTION_KEYS, of which the first
encrypts and all decrypt."""

from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Unreadable(Exception):
    """None of the keys has encrypted it."""


@cache
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(text: str) -> bytes:
    return _fernet(tuple(settings.TOKEN_ENCRYPTION_KEYS)).encrypt(text.encode())


def decrypt(data: bytes | memoryview | None) -> str:
    """Raises `Unreadable`."""
    try:
        return _fernet(tuple(settings.TOKEN_ENCRYPTION_KEYS)).decrypt(bytes(data or b"")).decode()
    except InvalidToken:
        raise Unreadable from None


def rotated(data: bytes | memoryview) -> bytes | None:
    """It encrypted with the first key; None if it is already. Raises `Unreadable`."""
    keys, token = tuple(settings.TOKEN_ENCRYPTION_KEYS), bytes(data)
    try:
        _fernet(keys[:1]).decrypt(token)
    except InvalidToken:
        pass
    else:
        return None
    try:
        return _fernet(keys).rotate(token)
    except InvalidToken:
        raise Unreadable from None


def decrypted_within(data: str, seconds: int) -> str:
    """The text, if it was encrypted at most so long ago; else nothing."""
    try:
        keys = tuple(settings.TOKEN_ENCRYPTION_KEYS)
        return _fernet(keys).decrypt(data.encode(), ttl=seconds).decode()
    except InvalidToken:
        return ""
