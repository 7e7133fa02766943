"""One request to Constant Contact: the token, the turn, the time-outs, what went wrong.

Reference: https://developer.constantcontact.com/api_guide/glossary_responses.html
"""

import json
import time
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import requests
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from connections.constant_contact import errors

READ_ATTEMPTS = 4
LONGEST_WAIT_SECONDS = 8
BODY_BLOCK_BYTES = 256 * 1024


class TokenProvider(Protocol):
    def get(self) -> str:
        """An access token that should be good."""

    def refresh(self, stale: str) -> str:
        """Another access token, after the provider refused `stale`. Raises `SignInAgain`."""


class Limiter(Protocol):
    def acquire(self) -> None:
        """Waits for a turn. Raises `BudgetSpent` when there is none today."""

    def spent(self) -> None:
        """Told when the provider says that the day's budget is spent."""


OnRequest = Callable[[str, str, int, float], None]
BeforeChange = Callable[[], None]


class Transport:
    """Requests under one base URL, with one token provider.

    What only reads is tried again a few times within a few seconds; what changes something never
    is: the caller knows whether it may be.
    """

    def __init__(
        self,
        base_url: str,
        token_provider: TokenProvider,
        limiter: Limiter | None,
        on_request: OnRequest | None,
        timeout: tuple[float, float],
        before_change: BeforeChange | None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.token_provider = token_provider
        self.limiter = limiter
        self.on_request = on_request
        self.timeout = timeout
        self.before_change = before_change
        self.requests = 0
        self._session = requests.Session()
        self._session.headers["Accept"] = "application/json"

    def read(self, path: str, query: dict[str, Any] | None = None, **how: Any) -> requests.Response:
        """GET, tried again when that may help."""
        for attempt in Retrying(
            retry=retry_if_exception(_worth_reading_again),
            stop=stop_after_attempt(READ_ATTEMPTS),
            wait=_wait_before_reading_again,
            reraise=True,
        ):
            with attempt:
                response = self._request("GET", path, params=query, **how)
        return response

    def change(self, path: str, body: bytes | dict[str, Any]) -> requests.Response:
        """POST, once. `body` is JSON as bytes, sent as they are, or what becomes JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._request(
            "POST", path, data=_Body(content), headers={"Content-Type": "application/json"}
        )

    def remove(self, path: str) -> None:
        """DELETE, once."""
        self._request("DELETE", path)

    def own_path(self, href: str) -> str:
        """The path and query of a link, below the base: a link never leads anywhere else."""
        link, base = urllib.parse.urlsplit(href), urllib.parse.urlsplit(self.base_url)
        elsewhere = (link.scheme or link.netloc) and (
            (link.scheme, link.netloc) != (base.scheme, base.netloc)
        )
        if elsewhere or not link.path.startswith(f"{base.path}/"):
            raise errors.InvalidRequest(
                "Constant Contact answered with a link to another place.", code="strange_link"
            )
        path = link.path.removeprefix(base.path)
        return f"{path}?{link.query}" if link.query else path

    def _request(self, method: str, path: str, **how: Any) -> requests.Response:
        token = self.token_provider.get()
        response = self._send(method, path, token, **how)
        if response.status_code == 401:
            response.close()
            token = self.token_provider.refresh(token)
            response = self._send(method, path, token, **how)
        if 200 <= response.status_code < 300:
            return response
        with response:
            error = errors.error_of(response)
        if isinstance(error, errors.BudgetSpent) and self.limiter is not None:
            self.limiter.spent()
        raise error

    def _send(self, method: str, path: str, token: str, **how: Any) -> requests.Response:
        if self.limiter is not None:
            self.limiter.acquire()
        if self.before_change is not None and method != "GET":
            self.before_change()
        self.requests += 1
        status, began = 0, time.perf_counter()
        try:
            response = self._session.request(
                method,
                f"{self.base_url}{path}",
                auth=_bearer(token),
                timeout=self.timeout,
                allow_redirects=False,
                **how,
            )
            status = response.status_code
        except requests.RequestException:
            raise lost(how.get("data")) from None
        finally:
            if self.on_request is not None:
                self.on_request(method, path.split("?")[0], status, time.perf_counter() - began)
        return response


class _Body:
    """A request's body that knows whether all of it was handed to the network."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.written = False

    def __len__(self) -> int:
        return len(self.content)

    def __iter__(self) -> Iterator[memoryview]:
        self.written = False
        view = memoryview(self.content)
        for start in range(0, len(view), BODY_BLOCK_BYTES):
            yield view[start : start + BODY_BLOCK_BYTES]
        self.written = True


def lost(body: _Body | None = None) -> errors.ProviderError:
    """What no answer means. A request that was not written whole can't have been taken."""
    if body is not None and body.written:
        return errors.OutcomeUnknown("The connection to Constant Contact broke before its answer.")
    return errors.Unavailable("Constant Contact can't be reached.", code="unreachable")


def _bearer(token: str) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    """As an authenticator: a header alone would give way to a password in `.netrc`."""

    def authenticate(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return authenticate


def _worth_reading_again(error: BaseException) -> bool:
    if not isinstance(error, (errors.Throttled, errors.Unavailable)):
        return False
    return (error.retry_after or 0) <= LONGEST_WAIT_SECONDS


def _wait_before_reading_again(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = getattr(error, "retry_after", None) or 0.0
    backoff = wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT_SECONDS)(state)
    return float(max(asked, backoff))
