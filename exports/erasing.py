"""The exports' part in erasing a person.

Nothing of theirs is sent once the erasure is committed: runs are held up while it is made, the
person is cut out of the requests that have not left, and a plan made later does not find them.
Whom a list holds from here, an `ErasurePlace` has taken off it.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Lower, Trim
from django.utils import timezone

from config import cipher
from connections.models import Connection
from exports import erasing_sql as sql
from exports import reasons
from exports.cutting import cut_out
from exports.models import Batch, Delivery, Destination, ErasurePlace, OptOut, Rejection, Run
from segments.erasure_parts import Panel, Part, Person
from segments.models import Erasure, Profile
from workspaces import locks

# In these an answer may still come that puts the person on a list.
UNDER_WAY = (Run.State.SENDING, Run.State.CONFIRMING)


@dataclass
class _Place:
    """An account, the lists there to be taken off, and the runs to be over before."""

    lists: dict[str, str] = field(default_factory=dict)
    runs: set[int] = field(default_factory=set)


def address_attributes() -> set[str]:
    matchings = Destination.objects.values_list("matching", flat=True)
    return {matching["email"] for matching in matchings if matching.get("email")}


def addresses_of(profile: Profile) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(sql.ADDRESSES, {"workspace": profile.workspace_id, "profile": profile.pk})
        return {address for (address,) in cursor.fetchall()}


def foresee(person: Person) -> Panel:
    addresses = list(person.addresses)
    destinations = list(Destination.objects.values_list("pk", flat=True))
    known = Delivery.objects.filter(destination_id__in=destinations, address__in=addresses)
    holders = Destination.objects.filter(pk__in=known.filter(refusal="").values("destination_id"))
    rejections = Rejection.objects.alias(plain=Lower(Trim("address"))).filter(
        Q(profile_id=person.profile_id) | Q(plain__in=addresses)
    )
    return (
        "exports/_erasure_foreseen.html",
        {
            "lists": sorted({(one.list_name, one.name) for one in holders}),
            "accounts": sorted(set(_accounts().values())),
            "running": list(
                Run.objects.filter(state__in=Run.ACTIVE)
                .select_related("destination")
                .order_by("destination__name")
            ),
            "deliveries": known.count(),
            "rejections": rejections.count(),
            "opted_out": OptOut.objects.filter(address__in=addresses).exists(),
        },
    )


def lock() -> None:
    """Holds up every run, and every plan that is about to begin."""
    active = Run.objects.filter(state__in=Run.ACTIVE).order_by("pk")
    for run_id in list(active.values_list("pk", flat=True)):
        locks.take(locks.RUN, run_id)
    list(Destination.objects.order_by("pk").select_for_update().values_list("pk"))


def let_go(erasure: Erasure, person: Person) -> None:
    where: dict[str, Any] = {
        "workspace": erasure.workspace_id,
        "profile": person.profile_id,
        "key": person.key,
        "addresses": list(person.addresses),
        "active": list(Run.ACTIVE),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql.CARRYING, where)
        carrying = [pk for (pk,) in cursor.fetchall()]
        for pk in carrying:
            # Whoever sends it now has its old body in hand: wait until it has gone.
            locks.take(locks.BATCH, pk)
        _note_places(erasure, person, _rows(cursor, sql.HELD, where))
        for batch in Batch.objects.filter(pk__in=carrying).select_related("run"):
            _cut_out(cursor, batch, person, where)
        for statement in sql.STATEMENTS:
            cursor.execute(statement, where)


def carry_on(erasure: Erasure) -> None:
    from exports.tasks import take_off_erased

    due = ErasurePlace.objects.filter(
        erasure=erasure, done_at=None, next_look_at__lte=timezone.now()
    )
    for pk in due.values_list("pk", flat=True):
        take_off_erased.delay(erasure.workspace_id, pk)


def is_done(erasure: Erasure) -> bool:
    return not ErasurePlace.objects.filter(erasure=erasure, done_at=None).exists()


def tell(erasures: Iterable[Erasure]) -> dict[int, Panel]:
    found: dict[int, list[ErasurePlace]] = defaultdict(list)
    for place in ErasurePlace.objects.filter(erasure__in=list(erasures)).order_by("pk"):
        found[place.erasure_id].append(place)
    return {
        pk: ("exports/_erasure_places.html", {"places": places}) for pk, places in found.items()
    }


PART = Part(address_attributes, addresses_of, foresee, lock, let_go, carry_on, is_done, tell)


def _rows(cursor: Any, statement: str, where: dict[str, Any]) -> list[dict[str, Any]]:
    cursor.execute(statement, where)
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _accounts() -> dict[str, str]:
    found = Connection.objects.exclude(account_id="").order_by("pk")
    return {one.account_id: one.account_name or one.name for one in found}


def _note_places(erasure: Erasure, person: Person, held: list[dict[str, Any]]) -> None:
    """Where the person is to be taken off, or deleted, kept until it is done."""
    places: dict[str, _Place] = defaultdict(_Place)
    accounts = _accounts()
    if erasure.delete_at_provider:
        for account_id in accounts:
            places[account_id] = _Place()
    destinations = Destination.objects.in_bulk([row["destination_id"] for row in held])
    for row in held:
        destination = destinations[row["destination_id"]]
        account_id, _, list_id = destination.delivered_to.partition(":")
        may_be_there = row["was_held"] or row["batch_state"] != Batch.State.PLANNED or row["tried"]
        if row["refusal"] or not may_be_there:
            continue
        place = places[account_id]
        place.lists[list_id] = destination.list_name
        under_way = row["batch_state"] in (Batch.State.PLANNED, Batch.State.SENT)
        if under_way and row["run_state"] in UNDER_WAY:
            place.runs.add(row["run_id"])
        if row["leaving_run_id"]:
            place.runs.add(row["leaving_run_id"])
    addresses = orjson.dumps(sorted(person.addresses)).decode()
    for account_id, place in places.items():
        ErasurePlace.objects.create(
            workspace_id=erasure.workspace_id,
            erasure=erasure,
            account_id=account_id,
            account_name=accounts.get(account_id, ""),
            lists=[{"id": pk, "name": name} for pk, name in sorted(place.lists.items())],
            deletes_contact=erasure.delete_at_provider,
            addresses=cipher.encrypt(addresses),
            waits_for=sorted(place.runs),
            next_look_at=timezone.now(),
        )


def _cut_out(cursor: Any, batch: Batch, person: Person, where: dict[str, Any]) -> None:
    """Takes the person out of what is kept of a request, and out of the account as sent."""
    if batch.state != Batch.State.PLANNED:
        # It has gone, and is not sent again.
        cursor.execute(sql.BLANK, {**where, "batch": batch.pk})
        batch.body = None
        batch.save(update_fields=["body"])
        return
    cut_out(
        batch,
        set(person.addresses),
        profile_id=person.profile_id,
        reason=reasons.ERASED,
        nameless=True,
    )
