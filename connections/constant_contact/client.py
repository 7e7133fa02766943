"""The Constant Contact v3 API, as far as exports need it.

Knows nothing of the rest: it is given a provider of tokens and a limiter.

Reference: https://developer.constantcontact.com/api_reference/index.html
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import requests
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential
from urllib3.exceptions import NewConnectionError

from connections.constant_contact import errors
from connections.constant_contact.answers import (
    AccountSummary,
    Activity,
    Answer,
    Contact,
    ContactList,
    CustomField,
)

CONNECT_SECONDS = 10
READ_SECONDS = 60
PAGE = 500
CUSTOM_FIELDS_PAGE = 100
READ_ATTEMPTS = 4
LONGEST_WAIT_SECONDS = 8

AnswerType = TypeVar("AnswerType", bound=Answer)


class TokenProvider(Protocol):
    def get(self) -> str:
        """An access token that should be good."""

    def refresh(self, stale: str) -> str:
        """A new access token, after the provider refused `stale`. Raises `SignInAgain`."""


class Limiter(Protocol):
    def acquire(self) -> None:
        """Waits for a turn. Raises `BudgetSpent` when there is none today."""

    def spent(self) -> None:
        """Told when the provider says that the day's budget is spent."""


class Client:
    """One account, by one token. Not for use by several threads at once.

    `requests` counts every request made, refused ones included. What only reads is tried again a
    few times; what changes something never is: the caller knows whether it may be.
    """

    def __init__(
        self,
        base_url: str,
        token_provider: TokenProvider,
        limiter: Limiter | None = None,
        on_request: Callable[[str, str, int], None] | None = None,
        timeout: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.token_provider = token_provider
        self.limiter = limiter
        self.on_request = on_request
        self.timeout = timeout
        self.requests = 0
        self._session = requests.Session()
        self._session.headers["Accept"] = "application/json"

    def account_summary(self) -> AccountSummary:
        return AccountSummary.model_validate(self._read("/account/summary").json())

    def lists(self) -> Iterator[ContactList]:
        """Every list, with how many contacts can be mailed on it."""
        where = {"limit": PAGE, "include_membership_count": "active"}
        yield from self._pages("/contact_lists", where, "lists", ContactList)

    def list(self, list_id: str) -> ContactList:
        where = {"include_membership_count": "active"}
        return ContactList.model_validate(self._read(f"/contact_lists/{list_id}", where).json())

    def create_list(self, name: str, description: str = "") -> ContactList:
        """Raises `Conflict` when the account has a list of that name."""
        body = {"name": name, "description": description, "favorite": False}
        return ContactList.model_validate(self._change("/contact_lists", body).json())

    def custom_fields(self) -> Iterator[CustomField]:
        where = {"limit": CUSTOM_FIELDS_PAGE}
        yield from self._pages("/contact_custom_fields", where, "custom_fields", CustomField)

    def import_contacts(self, body: bytes) -> Activity:
        """Starts an import; `body` is the JSON of the request, sent as it is."""
        response = self._request(
            "POST",
            "/activities/contacts_json_import",
            data=body,
            headers={"Content-Type": "application/json"},
        )
        return Activity.model_validate(response.json())

    def remove_list_memberships(
        self, contact_ids: Iterable[str], list_ids: Iterable[str]
    ) -> Activity:
        """Starts taking at most 500 contacts off lists; the contacts themselves stay."""
        body = {"source": {"contact_ids": [*contact_ids]}, "list_ids": [*list_ids]}
        response = self._change("/activities/remove_list_memberships", body)
        return Activity.model_validate(response.json())

    def export_contacts(
        self,
        *,
        list_ids: Iterable[str] = (),
        fields: Iterable[str] = (),
        status: str = "",
    ) -> Activity:
        """Starts a contact export; `download_export` reads it once it has ended."""
        body: dict[str, Any] = {}
        if list_ids:
            body["list_ids"] = [*list_ids]
        if fields:
            body["fields"] = [*fields]
        if status:
            body["status"] = status
        return Activity.model_validate(self._change("/activities/contact_exports", body).json())

    def download_export(self, activity: Activity) -> Iterator[dict[str, str]]:
        """The rows of a finished contact export, keyed by its header in small letters."""
        link = activity.links.results
        path = self._own_path(link.href) if link else f"/contact_exports/{activity.activity_id}"
        response = self._read(path, headers={"Accept": "text/csv"}, stream=True)
        response.encoding = "utf-8-sig"
        with response:
            lines = (line or "" for line in response.iter_lines(decode_unicode=True))
            reader = csv.reader(lines)
            header = [name.strip().lower() for name in next(reader, [])]
            for row in reader:
                yield dict(zip(header, row, strict=False))

    def activity(self, activity_id: str) -> Activity:
        return Activity.model_validate(self._read(f"/activities/{activity_id}").json())

    def activities(self) -> Iterator[Activity]:
        """The account's activities of the last ten days, newest first."""
        yield from self._pages("/activities", {"limit": PAGE}, "activities", Activity)

    def contacts(self, **filters: str) -> Iterator[Contact]:
        """Contacts by the filters of `GET /contacts` (`lists`, `status`, `email`, …)."""
        yield from self._pages("/contacts", {"limit": PAGE, **filters}, "contacts", Contact)

    def _pages(
        self, path: str, where: dict[str, Any], name: str, kind: type[AnswerType]
    ) -> Iterator[AnswerType]:
        body = self._read(path, where).json()
        while True:
            for item in body.get(name) or []:
                yield kind.model_validate(item)
            following = ((body.get("_links") or {}).get("next") or {}).get("href")
            if not following:
                return
            body = self._read(self._own_path(following, path)).json()

    def _own_path(self, href: str, expected: str = "") -> str:
        """The path of a link below the API's base: a link never leads anywhere else."""
        parts, base = urlsplit(href), urlsplit(self.base_url)
        if parts.netloc not in ("", base.netloc) or not parts.path.startswith(
            f"{base.path}{expected}"
        ):
            raise errors.InvalidRequest("Constant Contact answered with a link to another place.")
        path = parts.path.removeprefix(base.path)
        return f"{path}?{parts.query}" if parts.query else path

    def _change(self, path: str, body: dict[str, Any]) -> requests.Response:
        return self._request("POST", path, json=body)

    def _read(
        self, path: str, where: dict[str, Any] | None = None, **how: Any
    ) -> requests.Response:
        for attempt in Retrying(
            retry=retry_if_exception(_worth_reading_again),
            stop=stop_after_attempt(READ_ATTEMPTS),
            wait=_wait_before_reading_again,
            reraise=True,
        ):
            with attempt:
                response = self._request("GET", path, params=where, **how)
        return response

    def _request(self, method: str, path: str, **how: Any) -> requests.Response:
        token = self.token_provider.get()
        response = self._send(method, path, token, **how)
        if response.status_code == 401:
            token = self.token_provider.refresh(token)
            response = self._send(method, path, token, **how)
        if response.ok:
            return response
        error = errors.error_of(response)
        if isinstance(error, errors.BudgetSpent) and self.limiter is not None:
            self.limiter.spent()
        raise error

    def _send(self, method: str, path: str, token: str, **how: Any) -> requests.Response:
        if self.limiter is not None:
            self.limiter.acquire()
        self.requests += 1
        headers = {**how.pop("headers", {}), "Authorization": f"Bearer {token}"}
        status = 0
        try:
            response = self._session.request(
                method,
                f"{self.base_url}{path}",
                headers=headers,
                timeout=self.timeout,
                allow_redirects=False,
                **how,
            )
            status = response.status_code
        except requests.RequestException as failure:
            raise _lost(failure) from None
        finally:
            if self.on_request is not None:
                self.on_request(method, path.split("?")[0], status)
        return response


def _lost(failure: requests.RequestException) -> errors.ConstantContactError:
    """No answer came. Only a connection that was never made proves that nothing was taken."""
    reason = getattr(failure.args[0], "reason", None) if failure.args else None
    if isinstance(failure, requests.ConnectTimeout) or isinstance(reason, NewConnectionError):
        return errors.Unavailable("Constant Contact can't be reached.")
    return errors.OutcomeUnknown("The connection to Constant Contact broke before its answer.")


def _worth_reading_again(error: BaseException) -> bool:
    return isinstance(error, (errors.Throttled, errors.Unavailable, errors.OutcomeUnknown)) and (
        (getattr(error, "retry_after", None) or 0) <= LONGEST_WAIT_SECONDS
    )


def _wait_before_reading_again(state: Any) -> float:
    asked = getattr(state.outcome.exception(), "retry_after", None)
    backoff = wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT_SECONDS)(state)
    return max(asked or 0.0, backoff)
