"""Preferences: what people said at the provider since the last run, before anything is planned.

The provider is where people's preferences are kept. Once a day everyone who unsubscribed is read,
by one contact export; in between only who did since the last look, 500 a request. And before
anybody is sent again whom the list is believed to hold, the list is read, by one contact export:
whoever was taken off it would be put back by an import. Of those who are missing there, whose
address nobody in the account has any more got another one, which tells them from those taken off.

The provider prepares that export while the run is planned. As a rule nobody is missing then, and
the plan stands; if somebody is, it is made anew with what was learnt.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from connections.access import NotUsable
from connections.provider import errors
from connections.provider.protocol import Activity, Provider
from exports.engine import preferences_sql as sql
from exports.engine import read_back, restored
from exports.engine.send import CLOCK_TOLERANCE, TryLater, requests_counted
from exports.models import Destination, PreferencePull, Run
from exports.whys import Explained, why_of
from segments import erased
from workspaces.planner import expect_rows

WHOLE_EVERY = timedelta(days=1)
# The provider's clock may be off by minutes, and a page may be made while it is read.
OVERLAP = timedelta(minutes=10)
MAX_TRIES = 12
# Up to here asking for each costs no more requests than reading everybody's address.
FEW = 7
# The contact export of the list, among those of a run.
HELD = "held"


class NotPulled(Explained):
    """Why what people said there can't be known."""


def pull(run: Run) -> None:
    """Brings the opt-outs of the run's account and list up to date, each once a run.

    A list that is only likely to be needed is asked for, and not waited for; one that is likely not
    to be is only looked for. Raises `TryLater`, and `NotPulled` when it is of no use to try again.
    """
    link = run.destination.connection
    if run.dry_run or link is None:
        return
    read_list = not list_is_known(run) and (
        run.read_back.get("needs_list") or restored.is_first_since(run)
    )
    if run.read_back.get("pulled") and not read_list:
        return
    try:
        with requests_counted(run, link) as provider:
            _ask(run, link.account_id, provider, read_list=read_list)
    except errors.BudgetSpent as spent:
        raise TryLater(why_of(spent), spent.until, budget=True) from spent
    except read_back.NeverRead as never:
        raise NotPulled(never.why) from never
    except errors.ProviderError as error:
        tries = run.read_back.get("pull_tries", 0) + 1
        if error.advice != "retry" or tries >= MAX_TRIES:
            raise NotPulled(why_of(error)) from error
        _save(run, pull_tries=tries)
        raise TryLater.after(error, tries) from error


def _ask(run: Run, account_id: str, provider: Provider, *, read_list: bool) -> None:
    ask_for_it = not list_is_known(run) and not read_list and _sends_again(run)
    if not run.read_back.get("pulled"):
        _pull(run, account_id, provider)
        if not read_list and not ask_for_it and _has_sent_there(run, account_id):
            _ensure_list_is_there(run, provider)
        _save(run, pulled=True)
    if read_list:
        _read_list(run, account_id, provider)
        _save(run, list_known=True)
    elif ask_for_it:
        read_back.begin(run, provider, HELD, list_ids=[run.destination.list_id])


def list_is_known(run: Run) -> bool:
    """Whether the list was read for this run, so that people may be sent to it again."""
    return bool(run.read_back.get("list_known"))


def ask_for_list(run: Run, requests: int) -> None:
    """Has the next pull read the list; `requests` went on looking whether it is there already."""
    Run.objects.filter(pk=run.pk).update(requests=F("requests") + requests)
    _save(run, needs_list=True)


def everybody_is_on_list(run: Run) -> tuple[bool, int]:
    """Whether the list that was asked for is there and tells nothing new; and requests made.

    Inside the caller's transaction, which is to be rolled back if not.
    """
    link = run.destination.connection
    if link is None or HELD not in run.read_back:
        return False, 0
    told, provider = False, None
    try:
        with requests_counted(run, link) as provider:
            export = read_back.ready(run, provider, HELD)
            told = export is not None and _tells_nothing(run, link.account_id, provider, export)
    except (NotUsable, errors.ProviderError):
        # Whoever reads it then says what is wrong.
        told = False
    if told:
        _save(run, list_known=True)
    return told, provider.requests if provider else 0


def _tells_nothing(run: Run, account_id: str, provider: Provider, export: Activity) -> bool:
    holders = _holders(run, account_id)
    where = _where(run, account_id, holders)
    with transaction.atomic(), connection.cursor() as cursor:
        _compare(cursor, provider, {"": export}, where)
        cursor.execute(sql.COUNT_OFF_LIST)
        (off,) = cursor.fetchone()
        cursor.execute(sql.FORGET_RETURNED, where)
        returned = cursor.rowcount
        cursor.execute(sql.FORGET_COMPARED)
    return not off and not returned


def _sends_again(run: Run) -> bool:
    """Whether that is likely, told at little cost; the plan knows for certain."""
    destination = run.destination
    last = destination.runs.filter(planned_at__isnull=False, dry_run=False).order_by("-created_at")
    began = last.values_list("started_at", flat=True).first()
    if began is None:
        return False
    where: dict[str, Any] = {
        "workspace": run.workspace_id,
        "destination": destination.pk,
        "since": datetime.min.replace(tzinfo=UTC) if run.full else began,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql.TOUCHED_SINCE, where)
        return bool(cursor.fetchone()[0])


def _has_sent_there(run: Run, account_id: str) -> bool:
    """Who never has is about to, and then the provider says whether the list is there."""
    return run.destination_id in _holders(run, account_id)


def _read_list(run: Run, account_id: str, provider: Provider) -> None:
    is_restored = restored.is_first_since(run)
    holders = _holders(run, account_id)
    if is_restored:
        # What it sent to another list tells nothing of this one.
        sent_here = run.destination_id in holders or not run.destination.delivered_to
        holders = [run.destination_id] if sent_here else []
    if not holders:
        return
    how: dict[str, Any] = {"list_ids": [run.destination.list_id]}
    if is_restored:
        how["fields"] = restored.FIELDS
    exports = {"": read_back.finished(run, provider, HELD, **how)}
    if run.read_back.get("many_off"):
        exports["known"] = read_back.finished(run, provider, "everybody")
        exports["deleted"] = read_back.finished(run, provider, "deleted", status="removed")
    where = _where(run, account_id, holders)
    with transaction.atomic(), connection.cursor() as cursor:
        on_list = _compare(cursor, provider, exports, where)
        if is_restored:
            restored.learn_from_list(run)
        cursor.execute(sql.COUNT_OFF_LIST)
        (off,) = cursor.fetchone()
        if off and not on_list:
            _ensure_list_is_there(run, provider)
        all_known = off <= FEW or len(exports) > 1
        if all_known:
            if off and len(exports) == 1:
                _look_up(cursor, provider)
            cursor.execute(sql.KEEP_OFF_LIST, where)
            cursor.execute(sql.FORGET_RETURNED, where)
    if not all_known:
        _save(run, many_off=True)
        _read_list(run, account_id, provider)


def _holders(run: Run, account_id: str) -> list[int]:
    """The destinations that have sent to the run's list."""
    delivered_to = f"{account_id}:{run.destination.list_id}"
    return list(Destination.objects.filter(delivered_to=delivered_to).values_list("pk", flat=True))


def _where(run: Run, account_id: str, holders: list[int]) -> dict[str, Any]:
    return {
        "workspace": run.workspace_id,
        "destination": run.destination_id,
        "holders": holders,
        "account": account_id,
        "list": run.destination.list_id,
        "settled": (run.started_at or run.created_at) - CLOCK_TOLERANCE,
    }


def _compare(
    cursor: Any, provider: Provider, exports: dict[str, Activity], where: dict[str, Any]
) -> bool:
    """Makes `off_list` of what the exports tell; whether anybody is on the list."""
    read = read_back.load(provider, exports)
    expect_rows(cursor, read)
    cursor.execute(sql.CREATE_OFF_LIST, where)
    cursor.execute(sql.IS_ANYBODY_ON_LIST)
    return bool(cursor.fetchone()[0])


def _ensure_list_is_there(run: Run, provider: Provider) -> None:
    """Nobody is on a list that was deleted, and nobody was taken off it. Raises `NotFound`."""
    if getattr(provider.list(run.destination.list_id), "deleted_at", None):
        raise errors.NotFound("The list was deleted.")


def _look_up(cursor: Any, provider: Provider) -> None:
    """Reads which of those who are off the list the account still has."""
    cursor.execute(sql.OFF_LIST)
    known = [
        address
        for (address,) in cursor.fetchall()
        if any(True for _ in provider.contacts(email=address, status="all"))
    ]
    cursor.execute(sql.READ, {"addresses": known, "status": "known"})


def _pull(run: Run, account_id: str, provider: Provider) -> None:
    known = PreferencePull.objects.filter(account_id=account_id).first()
    began = timezone.now()
    # A moment to come was noted by a clock that was ahead, and says nothing.
    recent = began - WHOLE_EVERY, began + OVERLAP
    whole = known is None or not recent[0] < known.read_whole_at < recent[1]
    exports: dict[str, Activity] = {}
    found: list[str] = []
    if known is None or whole:
        export = read_back.finished(run, provider, "opted_out", status="unsubscribed")
        exports = {"unsubscribed": export}
        # It tells nothing of what was said while the provider prepared it.
        began = datetime.fromtimestamp(run.read_back["opted_out"]["begun"], UTC)
    else:
        since = (known.pulled_at - OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")
        contacts = provider.contacts(status="unsubscribed", optout_after=since)
        found = [one.email_address.address for one in contacts if one.email_address is not None]
    where: dict[str, Any] = {
        "workspace": run.workspace_id,
        "account": account_id,
        "began": began,
    }
    with transaction.atomic():
        read_back.load(provider, exports)
        with connection.cursor() as cursor:
            cursor.execute(sql.READ, {"addresses": found, "status": "unsubscribed"})
            erased.drop_addresses(run.workspace_id, "read_contact")
            cursor.execute(sql.ADD, where)
            if whole:
                cursor.execute(sql.FORGET_OTHERS, where)
        values = {"pulled_at": began} | ({"read_whole_at": began} if whole else {})
        PreferencePull.objects.update_or_create(
            workspace_id=run.workspace_id, account_id=account_id, defaults=values
        )


def _save(run: Run, **progress: Any) -> None:
    run.read_back = {**run.read_back, **progress}
    run.save(update_fields=["read_back"])
