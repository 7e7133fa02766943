"""`GET /contacts`: every filter, page by page, for a million contacts too."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.access import account_of
from sandbox.answers import json_answer, seconds_of
from sandbox.bodies import checked_ids, choices_of, csv_of, flag_of
from sandbox.contact_bodies import SUB_RESOURCES, shown_contact
from sandbox.errors import invalid, not_found
from sandbox.paging import limit_in, links, query_of, start_of
from sandbox.people import ACTIVE, CODES, Contact
from sandbox.state import Account

STATUSES = {
    "all",
    "active",
    "deleted",
    "not_set",
    "pending_confirmation",
    "temp_hold",
    "unsubscribed",
}
# Statuses that few contacts have: found by them before anything else.
RARE = {"not_set", "pending_confirmation", "temp_hold", "unsubscribed"}
MAX_LISTS = 25
MAX_TAGS = 50
MOMENTS: dict[str, Callable[[Contact], float | None]] = {
    "updated": lambda contact: contact.updated,
    "created": lambda contact: contact.created,
    "optout": lambda contact: contact.opted_out,
}
ROWS_A_STEP = 5_000

Test = Callable[[Contact], bool]


async def contacts(request: Request) -> Response:
    account = account_of(request, "contact_data", "contacts:read")
    query = query_of(request)
    limit, start = limit_in(query, 500), start_of(query)
    include = choices_of(query, "include", SUB_RESOURCES)
    counted = flag_of(query, "include_count")
    search = Search(account, query)
    found = await search.rows(start, limit + 1)
    body: dict[str, Any] = {
        "contacts": [
            shown_contact(account, Contact(account.people, row), include) for row in found[:limit]
        ]
    }
    if len(found) > limit:
        body |= links("/contacts", query, limit, found[limit])
    if counted:
        body["contacts_count"] = len(await search.rows(0, len(account.people)))
    return json_answer(body)


class Search:
    """The filters of one query. Pages begin at a contact, so that changes don't shift them."""

    def __init__(self, account: Account, query: dict[str, str]) -> None:
        if query.get("segment_id"):
            raise not_found("The segment does not exist.")
        self.people = account.people
        self.statuses = choices_of(query, "status", STATUSES)
        self.email = query.get("email")
        self.lists = frozenset(checked_ids(csv_of(query, "lists"), "lists"))
        tags = checked_ids(csv_of(query, "tags"), "tags")
        if len(self.lists) > MAX_LISTS or len(tags) > MAX_TAGS:
            raise invalid(f"There may be {MAX_LISTS} lists and {MAX_TAGS} tags at most")
        # Nobody is tagged and nobody has an SMS channel here.
        self.nobody = bool(tags or query.get("sms_status"))
        self.since = {name: _moment(query, f"{name}_after") for name in MOMENTS}
        self.tests = [self._has_status, *self._time_tests(query)]
        if self.lists:
            self.tests.append(lambda contact: not contact.lists.isdisjoint(self.lists))

    async def rows(self, start: int, most: int) -> list[int]:
        """At most so many rows from a row on; gives way to other requests as it looks."""
        found: list[int] = []
        for number, row in enumerate(self._candidates(start)):
            if number % ROWS_A_STEP == ROWS_A_STEP - 1:
                await asyncio.sleep(0)
            contact = Contact(self.people, row)
            if all(test(contact) for test in self.tests):
                found.append(row)
                if len(found) == most:
                    break
        return found

    def _candidates(self, start: int) -> Iterable[int]:
        """Rows in order that may fit, as few as is quickly known."""
        people = self.people
        if self.nobody:
            return []
        if self.email is not None:
            known = people.by_email(self.email) if self.email else None
            return [known.row] if known is not None and known.row >= start else []
        if self.since["optout"] is not None:
            return sorted(row for row in people.opted_out if row >= start)
        if self.statuses == {"deleted"}:
            return sorted(row for row in people.deleted if row >= start)
        if self.statuses and self.statuses <= RARE:
            codes = {CODES[status] for status in self.statuses}
            return [row for row in range(start, len(people)) if people.permissions[row] in codes]
        since = self.since["updated"]
        if since is not None:
            return [row for row in range(start, len(people)) if people.updated[row] >= since]
        if self.lists:
            return people.rows_on_lists(self.lists, start)
        return range(start, len(people))

    def _has_status(self, contact: Contact) -> bool:
        if "all" in self.statuses:
            return True
        if contact.deleted:
            return "deleted" in self.statuses
        if not self.statuses:
            return True
        return contact.permission in self.statuses or (
            "active" in self.statuses and contact.permission in ACTIVE
        )

    def _time_tests(self, query: dict[str, str]) -> Iterator[Test]:
        for name, moment_of in MOMENTS.items():
            after, before = self.since[name], _moment(query, f"{name}_before")
            if after is not None or before is not None:
                yield _between(moment_of, after, before)


def _between(
    moment_of: Callable[[Contact], float | None], after: float | None, before: float | None
) -> Test:
    def test(contact: Contact) -> bool:
        at = moment_of(contact)
        return (
            at is not None and (after is None or at >= after) and (before is None or at <= before)
        )

    return test


def _moment(query: dict[str, str], name: str) -> float | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        return seconds_of(text)
    except ValueError as damaged:
        raise invalid(f"{name} is not a date-time") from damaged


routes = [Route("/contacts", contacts, methods=["GET"])]
