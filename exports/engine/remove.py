"""Remove: take whoever left the segments off the list, in the fewest requests the limits allow.

The provider takes people off by their ids, at most 500 a request, or by a list that they are on,
however many. A few are looked up one by one. For more, the list is read back, and those who are
really on it are put on a list made for the purpose, 40,000 a request: one request then takes all
of them off, and the other list is deleted. `docs/removals.md` counts the requests.

What is done is kept in `Run.removal` after every request, and each of them may be repeated.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import orjson
from django.db import connection, transaction
from django.utils import timezone

from connections.access import NotUsable
from connections.provider import errors
from connections.provider.protocol import Activity, Provider
from exports.engine import read_back, removal_sql, turns
from exports.engine.batches import MAX_CONTACTS
from exports.engine.confirm import MAX_POLLS, poll_delay
from exports.engine.send import StopSending, TryLater, requests_counted
from exports.models import Batch, Destination, Run
from exports.whys import Explained, Why, why, why_of
from workspaces.planner import expect_rows

# Up to here looking each one up costs fewer requests than a list made for the purpose.
FEW = 7
MAX_ATTEMPTS = 3
MAX_TRIES = 12
# What is kept of the removal and says that it has got further.
FURTHER = {"step", "after", "done"}
NOT_SENT = (Batch.Failure.CANCELLED, Batch.Failure.STOPPED)


class _Failed(Explained):
    """The step ended badly at the provider; it is begun again."""


def remove_leavers(run: Run) -> None:
    """Takes off whom the plan marked as leaving, unless the run was cancelled or stopped.

    Raises `TryLater` while the provider works. Who could not be taken off stays in the ledger, so
    that the next run tries again.
    """
    if not run.to_remove or run.removal.get("done"):
        return
    stopped = run.batches.filter(failure__in=NOT_SENT).exists()
    if run.cancel_requested_at is not None or stopped or run.destination.connection is None:
        give_up(run, {})
        return
    try:
        with requests_counted(run, run.destination.connection) as provider:
            while not run.removal.get("done"):
                STEPS[run.removal.get("step", "begin")](run, provider)
    except errors.BudgetSpent as spent:
        raise TryLater(why_of(spent), spent.until, budget=True) from spent
    except (NotUsable, StopSending) as refusal:
        give_up(run, why_of(refusal))
    except (errors.ProviderError, _Failed) as error:
        _again_or_give_up(run, error)


def _again_or_give_up(run: Run, error: Exception) -> None:
    failed = isinstance(error, _Failed)
    tries = run.removal.get("failures" if failed else "tries", 0) + 1
    may_help = failed or getattr(error, "advice", "") == "retry"
    if not may_help or tries >= (MAX_ATTEMPTS if failed else MAX_TRIES):
        give_up(run, why_of(error))
        return
    if failed:
        _save(run, step="begin", failures=tries)
    else:
        _save(run, tries=tries)
    wait = max(getattr(error, "retry_after", None) or 0.0, poll_delay(tries))
    raise TryLater(why_of(error), timezone.now() + timedelta(seconds=wait)) from error


def give_up(run: Run, problem: Why) -> None:
    """Keeps them in the ledger; the mark stays on those who may be off the list all the same."""
    asked = "asked_for" in run.removal or run.removal.get("step") in ("take_off", "await_removal")
    if not asked:
        _execute(removal_sql.KEEP_OF_RUN, run)
    if run.removal.get("list") and run.destination.connection is not None:
        # As good as can be: nobody looks for it any more.
        with (
            suppress(NotUsable, errors.ProviderError),
            requests_counted(run, run.destination.connection) as provider,
        ):
            provider.delete_list(run.removal["list"])
    _save(run, done=True, problem=problem)


def _begin(run: Run, provider: Provider) -> None:
    with transaction.atomic():
        turns.take_to_remove(run.destination)
        _save(run, begun=True)
    if _others(run):
        with transaction.atomic():
            with connection.cursor() as cursor:
                expect_rows(cursor, run.to_remove)
            _execute(removal_sql.LET_GO_OF_SHARED, run)
    count = _count(run)
    if not count:
        _save(run, done=True)
    elif count <= FEW:
        _take_off_each(run, provider)
    else:
        _save(run, step="read", export="", polls=0)


def _take_off_each(run: Run, provider: Provider) -> None:
    ids, absent = [], []
    for address in _addresses(run, "", FEW):
        found = provider.contacts(email=address, include="list_memberships")
        here = [one.contact_id for one in found if _list_of(run) in one.list_memberships]
        ids += here
        absent += [] if here else [address]
    if absent and not _asked_before(run):
        _execute(removal_sql.KEEP_TAKEN_OFF_OF, run, absent=absent)
    if not ids:
        # Nobody was there, or an earlier request whose answer was lost took them off.
        _let_go(run, run.removal.get("asked_for", 0))
        _save(run, done=True)
        return
    _save(run, asked_for=max(len(ids), run.removal.get("asked_for", 0)))
    activity = provider.remove_list_memberships(ids, [_list_of(run)])
    _save(run, step="await_removal", activity=activity.activity_id, polls=0)


def _read(run: Run, provider: Provider) -> None:
    """Learns who of them is on the list now; nobody else may be touched."""
    export = _exported(run, provider)
    with transaction.atomic():
        _know(provider, export)
        if not _asked_before(run):
            _execute(removal_sql.KEEP_TAKEN_OFF, run)
        _execute(removal_sql.LET_GO_OF_ABSENT, run)
    _save(run, step="make_list" if _count(run) else "tidy")


def _make_list(run: Run, provider: Provider) -> None:
    name = f"Segue: leaving {run.destination.list_name[:60]} ({run.pk})"
    try:
        made = provider.create_list(name, "Made by Segue to take people off a list; it goes again.")
    except errors.Conflict:
        made = next(one for one in provider.lists() if one.name == name)
    _save(run, step="fill", list=made.list_id, after="", imports=[])


def _fill(run: Run, provider: Provider) -> None:
    addresses = _addresses(run, run.removal["after"], MAX_CONTACTS)
    if not addresses:
        _save(run, step="await_fill", polls=0)
        return
    contacts = [{"email": address} for address in addresses]
    body = orjson.dumps({"import_data": contacts, "list_ids": [run.removal["list"]]})
    activity = provider.import_contacts(body)
    _save(run, after=addresses[-1], imports=[*run.removal["imports"], activity.activity_id])


def _await_fill(run: Run, provider: Provider) -> None:
    imports = _ended(run, provider, run.removal["imports"])
    missing = sum(one.status.cannot_add_to_list_count or 0 for one in imports)
    _save(run, step="take_off", missing=missing)


def _take_off(run: Run, provider: Provider) -> None:
    activity = provider.remove_list_from_lists(run.removal["list"], [_list_of(run)])
    _save(run, step="await_removal", activity=activity.activity_id, polls=0)


def _await_removal(run: Run, provider: Provider) -> None:
    _ended(run, provider, [run.removal["activity"]])
    if run.removal.get("missing"):
        _save(run, step="check", export="", polls=0)
        return
    with transaction.atomic():
        _let_go(run, run.removal.get("asked_for"))
        _save(run, step="tidy")


def _check(run: Run, provider: Provider) -> None:
    """Some could not be put on the list made for it: looks who is off, and keeps the others."""
    export = _exported(run, provider)
    before = _count(run)
    with transaction.atomic():
        _know(provider, export)
        _execute(removal_sql.LET_GO_OF_ABSENT, run)
        left = _execute(removal_sql.KEEP, run)
        run.removed = before - left
        run.save(update_fields=["removed"])
        _save(run, step="tidy", problem=why("still_on_list", count=left) if left else {})


def _tidy(run: Run, provider: Provider) -> None:
    if run.removal.get("list"):
        with suppress(errors.NotFound):
            provider.delete_list(run.removal["list"])
    _save(run, done=True)


STEPS: dict[str, Callable[[Run, Provider], None]] = {
    "begin": _begin,
    "read": _read,
    "make_list": _make_list,
    "fill": _fill,
    "await_fill": _await_fill,
    "take_off": _take_off,
    "await_removal": _await_removal,
    "check": _check,
    "tidy": _tidy,
}


def _exported(run: Run, provider: Provider) -> Activity:
    """The contact export of the list, ended."""
    if not run.removal.get("export"):
        started = provider.export_contacts(list_ids=[_list_of(run)], fields=["email_address"])
        _save(run, export=started.activity_id)
    return _ended(run, provider, [run.removal["export"]])[0]


def _know(provider: Provider, export: Activity) -> None:
    """Who is on the list, as the temporary table `known_contact`."""
    read = read_back.load(provider, {"": export})
    read_back.know()
    with connection.cursor() as cursor:
        expect_rows(cursor, read)


def _let_go(run: Run, removed: int | None) -> None:
    """Forgets the deliveries; so many were taken off, or by default all of them."""
    gone = _execute(removal_sql.LET_GO, run)
    run.removed = gone if removed is None else removed
    run.save(update_fields=["removed"])


def _ended(run: Run, provider: Provider, wanted: list[str]) -> list[Activity]:
    """The activities, all completed; one request for however many. Raises `TryLater`."""
    if len(wanted) == 1:
        found = {wanted[0]: provider.activity(wanted[0])}
    else:
        found = {}
        for activity in provider.activities():
            if activity.activity_id in wanted:
                found[activity.activity_id] = activity
            if len(found) == len(wanted):
                break
    if any(found[one].has_ended and found[one].state != "completed" for one in found):
        raise _Failed(why("removal_failed"))
    if len(found) < len(wanted) or not all(one.has_ended for one in found.values()):
        polls = run.removal.get("polls", 0)
        if polls > MAX_POLLS:
            raise StopSending(why("removal_never_ended"))
        _save(run, polls=polls + 1)
        raise TryLater(
            why("taking_off", count=run.to_remove),
            timezone.now() + timedelta(seconds=poll_delay(polls)),
        )
    return [found[one] for one in wanted]


def _addresses(run: Run, after: str, size: int) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(removal_sql.ADDRESSES, {**_where(run), "after": after, "size": size})
        return [address for (address,) in cursor.fetchall()]


def _count(run: Run) -> int:
    with connection.cursor() as cursor:
        cursor.execute(removal_sql.COUNT, _where(run))
        return int(cursor.fetchone()[0])


def _asked_before(run: Run) -> bool:
    """Whether whoever is off the list may be so by an earlier request of this run."""
    return "asked_for" in run.removal or "failures" in run.removal


def _execute(statement: str, run: Run, **more: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, {**_where(run), **more})
        return int(cursor.rowcount)


def _where(run: Run) -> dict[str, Any]:
    return {
        "workspace": run.workspace_id,
        "destination": run.destination_id,
        "run": run.pk,
        "account": run.destination.delivered_to.partition(":")[0],
        "list": _list_of(run),
        "others": _others(run),
    }


def _others(run: Run) -> list[int]:
    """The other destinations of the run's list."""
    found = Destination.objects.filter(delivered_to=run.destination.delivered_to)
    return list(found.exclude(pk=run.destination_id).values_list("pk", flat=True))


def _list_of(run: Run) -> str:
    return str(run.configuration["list_id"])


def _save(run: Run, **progress: Any) -> None:
    run.removal = {**run.removal, **progress}
    run.heartbeat_at = timezone.now()
    fields = ["removal", "heartbeat_at"]
    if FURTHER & progress.keys():
        run.broken_off = 0
        fields.append("broken_off")
    run.save(update_fields=fields)
