"""Everything that can go wrong with Constant Contact, sorted by what to do about it.

No message carries a token or an address: what the provider says is quoted only after both are
taken out of it.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal

import requests

Advice = Literal["retry", "sign_in", "give_up"]

_ADDRESS = re.compile(r"[^\s@<>,;:\"'()\[\]]+@[^\s@<>,;:\"'()\[\]]+")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{10,}[A-Za-z0-9_.-]*|Bearer\s+\S+")
LONGEST_MESSAGE = 300


class ConstantContactError(Exception):
    """`status` is the HTTP status (0: no answer), `key` the provider's `error_key`."""

    advice: ClassVar[Advice] = "give_up"

    def __init__(self, message: str, *, status: int = 0, key: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.key = key


class Throttled(ConstantContactError):
    """Too many requests a second. `retry_after`: seconds to wait, if the provider said."""

    advice = "retry"
    retry_after: float | None = None


class QueueFull(Throttled):
    """Too many activities wait at the provider."""


class BudgetSpent(ConstantContactError):
    """No requests are left for today; worth trying again at `until`."""

    advice = "retry"

    def __init__(self, message: str, *, until: datetime, status: int = 0, key: str = "") -> None:
        super().__init__(message, status=status, key=key)
        self.until = until


class Unavailable(ConstantContactError):
    """The provider could not be reached or could not answer; the request was not taken."""

    advice = "retry"
    retry_after: float | None = None


class OutcomeUnknown(ConstantContactError):
    """The request was sent and its answer lost: it may have been taken."""

    advice = "retry"


class SignInAgain(ConstantContactError):
    """The authorisation has ended: a person must sign in at the provider again."""

    advice = "sign_in"


class Forbidden(ConstantContactError):
    """The account, or the person who authorised, may not do this."""


class NotFound(ConstantContactError):
    """There is nothing by that id in this account."""


class Conflict(ConstantContactError):
    """The name exists already, or two changes met."""


class InvalidRequest(ConstantContactError):
    """The provider does not accept the request as it is; the same again will not help."""


def next_budget(now: datetime | None = None) -> datetime:
    """When the provider's day ends: the next 00:00 UTC."""
    now = now or datetime.now(UTC)
    return (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def redacted(text: str) -> str:
    return _ADDRESS.sub("…@…", _TOKEN.sub("…", text))[:LONGEST_MESSAGE]


def error_of(response: requests.Response) -> ConstantContactError:
    """The exception for an answer that is not a success, whatever shape its body has."""
    key, said = _key_and_message(response)
    status = response.status_code
    told = {"status": status, "key": key}
    quote = f" It said: {said}" if said else ""
    if status == 429:
        return _limited(response, key, said)
    if status in (401,):
        return SignInAgain("Constant Contact no longer accepts the authorisation.", **told)
    if status == 403:
        return Forbidden(f"Constant Contact does not allow this.{quote}", **told)
    if status == 404:
        return NotFound(f"Constant Contact knows nothing by that id.{quote}", **told)
    if status == 409:
        return Conflict(f"Constant Contact has one like it already.{quote}", **told)
    if status >= 500:
        error = Unavailable(f"Constant Contact has a fault of its own ({status}).{quote}", **told)
        error.retry_after = retry_after(response)
        return error
    return InvalidRequest(f"Constant Contact refused the request ({status}).{quote}", **told)


def _limited(response: requests.Response, key: str, said: str) -> ConstantContactError:
    if key == "quota_exceeded":
        return BudgetSpent(
            "The day's requests to Constant Contact are spent.",
            until=next_budget(),
            status=429,
            key=key,
        )
    if "activit" in said.lower() or "queue" in said.lower():
        error: Throttled = QueueFull(
            "Constant Contact has too many activities waiting.", status=429, key=key
        )
    else:
        error = Throttled("Constant Contact asks for fewer requests a second.", status=429, key=key)
    error.retry_after = retry_after(response)
    return error


def retry_after(response: requests.Response) -> float | None:
    """The seconds that a `Retry-After` header asks for, as a number or a date."""
    header = response.headers.get("Retry-After", "")
    if header.isdigit():
        return float(header)
    try:
        at = datetime.strptime(header, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    except ValueError:
        return None
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def _key_and_message(response: requests.Response) -> tuple[str, str]:
    """Of an array of errors, an error, OAuth's error, the gateway's message, HTML or nothing."""
    try:
        body: Any = response.json()
    except ValueError:
        return "", ""
    if isinstance(body, list):
        body = body[0] if body else {}
    if not isinstance(body, dict):
        return "", ""
    key = body.get("error_key") or body.get("error") or ""
    said = body.get("error_message") or body.get("error_description") or body.get("message") or ""
    return str(key), redacted(str(said))
