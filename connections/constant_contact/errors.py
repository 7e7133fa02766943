"""What went wrong, told from Constant Contact's answer; `connections.provider.errors` sorts it."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from connections.provider.errors import (
    BudgetSpent,
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    ProviderError,
    QueueFull,
    SignInAgain,
    Throttled,
    Unavailable,
)

__all__ = [
    "BudgetSpent",
    "Conflict",
    "Forbidden",
    "InvalidRequest",
    "NotFound",
    "OutcomeUnknown",
    "ProviderError",
    "QueueFull",
    "SignInAgain",
    "Throttled",
    "Unavailable",
    "error_of",
    "next_budget",
    "redacted",
    "retry_after",
]

# An address in any spelling that may come back, `%40` for the @ included. A local part in quotes
# may hold blanks.
_ADDRESS = re.compile(
    r"""(?:"[^"]*"|[^\s@<>,;:"'()\[\]]+)\s?(?:@|%40)\s?[^\s@<>,;:"'()\[\]]+""", re.IGNORECASE
)
# Three parts of a JWT, what follows Bearer, and any run too long to be a word or an id.
_TOKEN = re.compile(r"Bearer\s+\S+|eyJ[\w.-]+|[\w-]{20,}\.[\w-]{10,}[\w.-]*|[\w-]{40,}")
LONGEST_MESSAGE = 300
# Seconds. The longest of the provider's limits starts anew every day.
LONGEST_RETRY_AFTER = 86_400.0
REQUEST_TIMEOUT = 408
# A gateway says these when it passed the request on and got no answer it could use.
GATEWAY_LOST_IT = frozenset({502, 504})
ENDED_GRANT = frozenset({"invalid_grant", "invalid_token"})


def next_budget(now: datetime | None = None) -> datetime:
    """When the provider's day ends: the next 00:00 UTC."""
    now = now or datetime.now(UTC)
    return (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def redacted(text: str) -> str:
    """What the provider says, without addresses and tokens, and not too long."""
    text = text[: 5 * LONGEST_MESSAGE]
    return _ADDRESS.sub("…@…", _TOKEN.sub("…", text))[:LONGEST_MESSAGE]


def error_of(response: requests.Response) -> ProviderError:
    """The exception for an answer that is not a success, whatever shape its body has."""
    key, said = _key_and_message(response)
    status = response.status_code
    told: dict[str, Any] = {
        "status": status,
        "key": key,
        "retry_after": retry_after(response),
        "said": said,
    }
    quote = f" It said: {said}" if said else ""
    if status == 429:
        return _limited(key, said, told)
    if status == 401 or key in ENDED_GRANT:
        return SignInAgain("Constant Contact no longer accepts the authorisation.", **told)
    if status == 403:
        return Forbidden(f"Constant Contact does not allow this.{quote}", **told)
    if status == 404:
        return NotFound(f"Constant Contact knows nothing by that id.{quote}", **told)
    if status == 409:
        return Conflict(f"Constant Contact has one like it already.{quote}", **told)
    if status in GATEWAY_LOST_IT and response.request.method != "GET":
        return OutcomeUnknown(
            f"Constant Contact lost its own answer ({status}).{quote}",
            code="gateway_lost_answer",
            **told,
        )
    if status >= 500 or status == REQUEST_TIMEOUT:
        return Unavailable(f"Constant Contact has a fault of its own ({status}).{quote}", **told)
    return InvalidRequest(f"Constant Contact refused the request ({status}).{quote}", **told)


def _limited(key: str, said: str, told: dict[str, Any]) -> ProviderError:
    if key == "quota_exceeded":
        return BudgetSpent(
            "The day's requests to Constant Contact are spent.",
            until=next_budget(),
            status=told["status"],
            key=key,
        )
    if re.search("activit|queue", f"{key} {said}", re.IGNORECASE):
        return QueueFull("Constant Contact has too many activities waiting.", **told)
    return Throttled("Constant Contact asks for fewer requests a second.", **told)


def retry_after(response: requests.Response) -> float | None:
    """The seconds that a `Retry-After` header asks for, as a number or a date; a day at most."""
    header = response.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", header):
        return min(float(header), LONGEST_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max(0.0, (at - datetime.now(UTC)).total_seconds()), LONGEST_RETRY_AFTER)


def _key_and_message(response: requests.Response) -> tuple[str, str]:
    """Of an array of errors, an error, OAuth's error, the gateway's message, HTML or nothing."""
    try:
        body: Any = response.json()
    except (ValueError, requests.RequestException):
        return "", ""
    if isinstance(body, list):
        body = body[0] if body else {}
    if not isinstance(body, dict):
        return "", ""
    key = body.get("error_key") or body.get("error") or ""
    said = body.get("error_message") or body.get("error_description") or body.get("message") or ""
    return redacted(str(key)), redacted(str(said))
