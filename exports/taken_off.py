"""Whom a list lost at Constant Contact: taken off, or with another address now.

Only a member's word puts them back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from exports.models import Destination, OptOut
from workspaces import audit
from workspaces.models import User

PAGE_SIZE = 50
REASONS = (OptOut.Reason.TAKEN_OFF, OptOut.Reason.CHANGED)


@dataclass(frozen=True)
class Page:
    """A page of them, and the addresses to ask for its neighbours by."""

    people: list[OptOut]
    before: str
    after: str


def taken_off(destination: Destination) -> QuerySet[OptOut]:
    """Those of the list that the export delivers to, by address."""
    account_id, _, list_id = destination.delivered_to.partition(":")
    found = OptOut.objects.filter(reason__in=REASONS, account_id=account_id)
    return found.filter(list_id=list_id).exclude(list_id="").order_by("address")


def page_of(
    destination: Destination, *, search: str = "", after: str = "", before: str = ""
) -> Page:
    """The page after an address, before one, or the first: every page costs the same."""
    found = taken_off(destination)
    if search:
        found = found.filter(address__contains=search.strip().lower())
    backwards = bool(before) and not after
    if backwards:
        found = found.filter(address__lt=before).order_by("-address")
    elif after:
        found = found.filter(address__gt=after)
    rows = list(found[: PAGE_SIZE + 1])
    more, rows = len(rows) > PAGE_SIZE, rows[:PAGE_SIZE]
    if backwards:
        rows.reverse()
    first, last = (rows[0].address, rows[-1].address) if rows else ("", "")
    return Page(
        people=rows,
        before=first if (more if backwards else bool(after)) else "",
        after=last if backwards or more else "",
    )


@transaction.atomic
def put_back(destination: Destination, addresses: Sequence[str] | None, *, by: User | None) -> int:
    """Lets these, or with None all of them, be sent again; how many there were.

    The next run puts back those who are in the segments then. Nobody's permission changes: who
    unsubscribed stays so.
    """
    chosen = taken_off(destination)
    if addresses is not None:
        chosen = chosen.filter(address__in=addresses)
    count, _ = chosen.order_by().delete()
    if count:
        audit.record(
            destination.workspace, "destination.put_back", actor=by, target=destination, count=count
        )
    return count
