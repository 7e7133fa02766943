"""The Constant Contact v3 API, as far as exports need it.

Knows nothing of the rest: it is given a provider of tokens and a limiter.

Reference: https://developer.constantcontact.com/api_reference/index.html
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO, TypeVar, cast
from urllib.parse import quote

import requests

from connections.constant_contact import errors
from connections.constant_contact.answers import (
    AccountSummary,
    Activity,
    Answer,
    Contact,
    ContactList,
    CustomField,
    Links,
)
from connections.constant_contact.export_file import ExportFile
from connections.constant_contact.transport import (
    BeforeChange,
    Limiter,
    OnRequest,
    TokenProvider,
    Transport,
)

CONNECT_SECONDS = 10
READ_SECONDS = 60
PAGE = 500
CUSTOM_FIELDS_PAGE = 100

AnswerType = TypeVar("AnswerType", bound=Answer)


class Client:
    """One account, by one token. Not for use by several threads at once.

    Every method raises what `errors` lists; what it says about the data is in the answer.
    """

    def __init__(
        self,
        base_url: str,
        token_provider: TokenProvider,
        limiter: Limiter | None = None,
        on_request: OnRequest | None = None,
        timeout: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
        before_change: BeforeChange | None = None,
    ) -> None:
        """`on_request` is told of each request: method, path, status (0: no answer), seconds.

        `timeout` is in seconds: to connect, and to wait for the next bytes of an answer.
        By raising, `before_change` keeps a request from leaving that would change something.
        """
        self._transport = Transport(
            base_url, token_provider, limiter, on_request, timeout, before_change
        )

    @property
    def requests(self) -> int:
        """Requests made so far, repeated and refused ones included."""
        return self._transport.requests

    def account_summary(self) -> AccountSummary:
        # Reference: https://developer.constantcontact.com/api_guide/account_services_overview.html
        return _parsed(AccountSummary, self._transport.read("/account/summary"))

    def lists(self) -> Iterator[ContactList]:
        """Every list, with how many contacts can be mailed on it."""
        # Reference: https://developer.constantcontact.com/api_guide/lists_overview.html
        where = {"limit": PAGE, "include_membership_count": "active"}
        yield from self._pages("/contact_lists", where, "lists", ContactList)

    def list(self, list_id: str) -> ContactList:
        """One list, with how many contacts can be mailed on it. Raises `NotFound`."""
        where = {"include_membership_count": "active"}
        return _parsed(ContactList, self._transport.read(f"/contact_lists/{_id(list_id)}", where))

    def create_list(self, name: str, description: str = "") -> ContactList:
        """Raises `Conflict` when the account has a list of that name."""
        # Reference: https://developer.constantcontact.com/api_guide/lists_post.html
        body = {"name": name, "description": description, "favorite": False}
        return _parsed(ContactList, self._transport.change("/contact_lists", body))

    def custom_fields(self) -> Iterator[CustomField]:
        # Reference: https://developer.constantcontact.com/api_guide/create_custom_fields.html
        where = {"limit": CUSTOM_FIELDS_PAGE}
        yield from self._pages("/contact_custom_fields", where, "custom_fields", CustomField)

    def import_contacts(self, body: bytes) -> Activity:
        """Starts an import; `body` is the JSON of the request, sent as it is."""
        # Reference: https://developer.constantcontact.com/api_guide/import_contacts.html
        return self._start("/activities/contacts_json_import", body)

    def remove_list_memberships(
        self, contact_ids: Iterable[str], list_ids: Iterable[str]
    ) -> Activity:
        """Starts taking at most 500 contacts off lists; the contacts themselves stay."""
        # Reference: https://developer.constantcontact.com/api_guide/remove_list_membership.html
        body = {"source": {"contact_ids": [*contact_ids]}, "list_ids": [*list_ids]}
        return self._start("/activities/remove_list_memberships", body)

    def remove_list_from_lists(self, source_list_id: str, list_ids: Iterable[str]) -> Activity:
        """Starts taking every contact of one list, however many, off others."""
        # Reference: https://developer.constantcontact.com/api_guide/remove_list_membership.html
        body = {"source": {"list_ids": [source_list_id]}, "list_ids": [*list_ids]}
        return self._start("/activities/remove_list_memberships", body)

    def delete_list(self, list_id: str) -> None:
        """Deletes a list; its contacts stay. Raises `NotFound`."""
        # Reference: https://developer.constantcontact.com/api_guide/lists_delete.html
        self._transport.remove(f"/contact_lists/{_id(list_id)}")

    def export_contacts(
        self,
        *,
        list_ids: Iterable[str] = (),
        fields: Iterable[str] = (),
        status: str = "",
    ) -> Activity:
        """Starts a contact export; `open_export` reads it once it has ended."""
        # Reference: https://developer.constantcontact.com/api_reference/index.html
        body = {"list_ids": [*list_ids], "fields": [*fields], "status": status}
        wanted = {name: value for name, value in body.items() if value}
        return self._start("/activities/contact_exports", wanted)

    @contextmanager
    def open_export(self, activity: Activity) -> Iterator[tuple[Sequence[str], BinaryIO]]:
        """A finished contact export: its header in lower case, and the CSV that follows it.

        Raises `Unavailable` when it breaks off, whatever the block made of that: what came before
        is then not all. And for one without a header: that says of nobody that they are not in it.
        """
        link = activity.links.results
        path = self._transport.own_path(link.href) if link else ""
        if not path.startswith("/contact_exports/"):
            path = f"/contact_exports/{_id(activity.activity_id)}"
        response = self._transport.read(path, headers={"Accept": "text/csv"}, stream=True)
        with response:
            file = ExportFile(response.raw)
            try:
                header = file.header()
                if not header:
                    raise errors.Unavailable(
                        "Constant Contact sent a contact export without data.",
                        code="export_unusable",
                    )
                yield header, cast("BinaryIO", file)
            except Exception:
                if not file.broken:
                    raise
                raise errors.Unavailable(
                    "The contact export broke off while Constant Contact sent it.",
                    code="export_broke_off",
                ) from None

    def activity(self, activity_id: str) -> Activity:
        """Raises `NotFound` for one that ended more than ten days ago."""
        # Reference: https://developer.constantcontact.com/api_guide/activity_status.html
        return _parsed(Activity, self._transport.read(f"/activities/{_id(activity_id)}"))

    def activities(self) -> Iterator[Activity]:
        """The account's activities of the last ten days, newest first; 500 a request."""
        yield from self._pages("/activities", {"limit": PAGE}, "activities", Activity)

    def contacts(self, **filters: str) -> Iterator[Contact]:
        """Contacts by the filters of `GET /contacts` (`lists`, `status`, `email`, …)."""
        # Reference: https://developer.constantcontact.com/api_guide/contacts_overview.html
        yield from self._pages("/contacts", {"limit": PAGE, **filters}, "contacts", Contact)

    def delete_contact(self, contact_id: str) -> None:
        """Deletes a contact, wherever it is on. Raises `NotFound`."""
        # Reference: https://developer.constantcontact.com/api_guide/contacts_delete.html
        self._transport.remove(f"/contacts/{_id(contact_id)}")

    def _start(self, path: str, body: bytes | dict[str, Any]) -> Activity:
        response = self._transport.change(path, body)
        activity = _parsed(Activity, response)
        if not activity.activity_id:
            raise _unreadable(response)
        return activity

    def _pages(
        self, path: str, where: dict[str, Any], name: str, kind: type[AnswerType]
    ) -> Iterator[AnswerType]:
        response = self._transport.read(path, where)
        followed: set[str] = set()
        while True:
            items, following = _page(response, name, kind)
            yield from items
            if not following:
                return
            link = self._transport.own_path(following)
            if link.split("?")[0] != path or link in followed:
                raise errors.InvalidRequest(
                    "Constant Contact answered with a link to another place.", code="strange_link"
                )
            followed.add(link)
            response = self._transport.read(link)


def _id(text: str) -> str:
    """As one segment of a path, whatever it holds."""
    return quote(text, safe="")


def _parsed(kind: type[AnswerType], response: requests.Response) -> AnswerType:
    try:
        return kind.model_validate(response.json())
    except ValueError:
        # The fault quotes the answer, and so perhaps an address.
        raise _unreadable(response) from None


def _page(
    response: requests.Response, name: str, kind: type[AnswerType]
) -> tuple[list[AnswerType], str]:
    """The items of a page, and the link to the next one."""
    try:
        body = response.json()
        items = [kind.model_validate(item) for item in body.get(name) or []]
        links = Links.model_validate(body.get("_links") or {})
    except (ValueError, AttributeError, TypeError):
        raise _unreadable(response) from None
    return items, links.next.href if links.next else ""


def _unreadable(response: requests.Response) -> errors.ProviderError:
    """A success in words nobody understands: what was to be changed may have been."""
    text = "Constant Contact answered something that can't be read."
    kind = errors.Unavailable if response.request.method == "GET" else errors.OutcomeUnknown
    return kind(text, status=response.status_code, code="unreadable")
