"""Whom a list lost at Constant Contact: taken off, or with another address now.

Only a member's word puts them back.
"""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.expressions import Combinable
from django.http import QueryDict

from exports.models import Destination, OptOut
from workspaces import audit, keyset
from workspaces.models import User

PAGE_SIZE = 50
REASONS = (OptOut.Reason.TAKEN_OFF, OptOut.Reason.CHANGED)
ORDERS: dict[str, tuple[Combinable, ...]] = {
    "address": (),
    "reason": (F("reason"),),
    "since": (F("since"),),
}


def taken_off(destination: Destination) -> QuerySet[OptOut]:
    """Those of the list that the export delivers to, by address."""
    account_id, _, list_id = destination.delivered_to.partition(":")
    found = OptOut.objects.filter(reason__in=REASONS, account_id=account_id)
    return found.filter(list_id=list_id).exclude(list_id="").order_by("address")


def page_of(destination: Destination, query: QueryDict, *, count: int) -> keyset.Page[OptOut]:
    """The page of them that a URL asks for, by a part of the address in `search` and by `reason`,
    too. `count` is how many there are.
    """
    found = taken_off(destination)
    if search := query.get("search", "").replace("\0", "").strip():
        found = found.filter(address__contains=search.lower())
    if query.get("reason") in REASONS:
        found = found.filter(reason=query["reason"])
    orders = keyset.orders_of(ORDERS, count)
    return keyset.page_of(found, orders, query, size=PAGE_SIZE, key="address")


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
