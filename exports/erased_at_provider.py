"""Takes an erased person off the lists that hold them from here, or deletes their contact.

Tried until a look at the provider finds nothing left to do. The address is kept for that,
encrypted, and no longer. Consent, authorisation and an export user are needed as for a run.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

import orjson
from django.db import transaction
from django.utils import timezone

from config import cipher
from connections.access import NotUsable, client, ensure_usable
from connections.models import Connection
from connections.provider import errors
from connections.provider.protocol import Provider
from exports.engine.confirm import poll_delay
from exports.engine.send import backoff
from exports.models import ErasurePlace, Run
from exports.whys import Explained, Why, why, why_of
from segments import erasures
from workspaces import audit, locks
from workspaces.models import User

# What a person must mend first is looked at again after so long.
MENDING = timedelta(minutes=10)
RUN_SECONDS = 15


class _NoConnection(Explained):
    """Nobody is signed in to the account any more."""


def carry_out(place: ErasurePlace) -> datetime | None:
    """Does what can be done now; returns when to look again, None when it is done."""
    with locks.held(locks.ERASURE, place.pk) as free:
        if not free:
            return None
        place.refresh_from_db()
        if place.done_at is not None:
            return None
        try:
            again = _take_off(place)
        except (NotUsable, _NoConnection) as refusal:
            again = _later(place, why_of(refusal), MENDING)
        except cipher.Unreadable:
            again = _later(place, why("address_unreadable"), MENDING)
        except errors.BudgetSpent as spent:
            again = _later(place, why_of(spent), spent.until - timezone.now())
        except errors.ProviderError as error:
            seconds = getattr(error, "retry_after", None) or backoff(place.tries)
            wait = timedelta(seconds=seconds) if error.advice == "retry" else MENDING
            again = _later(place, why_of(error), wait)
        return again


def settle_by_hand(place: ErasurePlace, *, by: User | None) -> None:
    """A member says that they have done it at the provider themselves."""
    with transaction.atomic():
        if _done(place):
            audit.record(
                place.workspace,
                "profile.erased_by_hand",
                actor=by,
                target=place.erasure,
                account=place.account_name,
            )
    erasures.finish(place.erasure)


def _take_off(place: ErasurePlace) -> datetime | None:
    running = Run.objects.filter(pk__in=place.waits_for, state__in=Run.ACTIVE)
    if running.exists():
        return _later(place, why("run_under_way"), timedelta(seconds=RUN_SECONDS))
    addresses = orjson.loads(cipher.decrypt(place.addresses))
    ensure_held = partial(locks.ensure_held, locks.ERASURE, place.pk)
    provider = client(_connection(place), before_change=ensure_held)
    if place.activity_id and not _has_ended(place, provider):
        return _later(place, {}, timedelta(seconds=poll_delay(place.tries)))
    left, lists = _left(place, provider, addresses)
    if not left:
        if _done(place):
            erasures.finish(place.erasure)
        return None
    if place.deletes_contact:
        for contact_id in left:
            with suppress(errors.NotFound):
                provider.delete_contact(contact_id)
        return _later(place, {}, timedelta(seconds=poll_delay(place.tries)))
    activity = provider.remove_list_memberships(left, lists)
    place.activity_id = activity.activity_id
    return _later(place, {}, timedelta(seconds=poll_delay(place.tries)))


def _connection(place: ErasurePlace) -> Connection:
    """One of the account's that may be used. Raises `NotUsable` for the first that may not.

    And `_NoConnection` when there is none.
    """
    known = list(Connection.objects.filter(account_id=place.account_id).order_by("pk"))
    if not known:
        raise _NoConnection(why("no_connection_to_account"))
    refusals = []
    for one in known:
        try:
            ensure_usable(one)
        except NotUsable as refusal:
            refusals.append(refusal)
        else:
            return one
    raise refusals[0]


def _has_ended(place: ErasurePlace, provider: Provider) -> bool:
    """However it ended: the next look tells what is left."""
    try:
        ended = provider.activity(place.activity_id).has_ended
    except errors.NotFound:
        ended = True
    if ended:
        place.activity_id = ""
    return ended


def _left(
    place: ErasurePlace, provider: Provider, addresses: list[str]
) -> tuple[list[str], list[str]]:
    """The ids of the contacts that are still there, and of the lists that they are still on."""
    wanted = {one["id"] for one in place.lists}
    contacts, lists = [], set()
    for address in addresses:
        for contact in provider.contacts(email=address, include="list_memberships"):
            on = wanted.intersection(contact.list_memberships)
            if on or place.deletes_contact:
                contacts.append(contact.contact_id)
                lists |= on
    return contacts, sorted(lists)


def _later(place: ErasurePlace, why: Why, wait: timedelta) -> datetime:
    place.tries += 1
    place.why = why
    place.next_look_at = timezone.now() + wait
    place.save(update_fields=["tries", "why", "next_look_at", "activity_id"])
    return place.next_look_at


def _done(place: ErasurePlace) -> bool:
    return bool(
        ErasurePlace.objects.filter(pk=place.pk, done_at=None).update(
            done_at=timezone.now(), addresses=None, why={}
        )
    )
