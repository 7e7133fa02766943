"""Read-back: the provider counts its refusals without naming them; the list names them.

Two contact exports at most, whatever the size: who is on the list, and who has unsubscribed.
"""

import time
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from connections.provider import errors
from connections.provider.protocol import Activity, Provider
from exports.engine import ledger_sql
from exports.engine.confirm import MAX_POLLS, poll_delay
from exports.engine.send import TryLater
from exports.models import Run
from exports.whys import Explained, why

ADDRESS = "email address"
# How often Constant Contact may give an export up before the run does.
MAX_TRIES = 3
# To begin one, look whether it is ready, as a rule once or twice, and fetch it.
EXPORT_REQUESTS = 4
GIVEN_UP_WAIT = timedelta(seconds=60)
KNOWN = {
    ADDRESS: "address",
    "email status": "status",
    "first name": "first_name",
    "last name": "last_name",
    "job title": "job_title",
    "company": "company_name",
}
# Those that each table of what was read has.
ALWAYS = {"address", "status"}


class NeverRead(Explained):
    """The provider gave an export up too often, or does not finish it."""


def finished_exports(run: Run, provider: Provider) -> dict[str, Activity]:
    """The contact exports that tell who is on the list ('') and what everybody's status is.

    Raises `TryLater` while the provider still prepares them, `NeverRead` when it won't, and what
    the client raises.
    """
    return {
        "": finished(run, provider, "list", list_ids=[run.configuration["list_id"]]),
        "known": finished(
            run, provider, "statuses", fields=["email_address", "permission_to_send"]
        ),
    }


def load(provider: Provider, exports: dict[str, Activity]) -> int:
    """Reads the exports into the temporary table `read_contact`; how many rows they have.

    Inside the caller's transaction. The key of an export is what its contacts get as status,
    unless it tells of each.
    """
    rows = 0
    with connection.cursor() as cursor:
        cursor.execute(ledger_sql.CREATE_READ)
        for status, activity in exports.items():
            with provider.open_export(activity) as (header, file):
                if ADDRESS not in header:
                    raise errors.InvalidRequest(
                        "Constant Contact sent a contact export without addresses.",
                        code="export_unusable",
                    )
                columns = [KNOWN.get(name, f"other_{n}") for n, name in enumerate(header)]
                for other in set(columns) - ALWAYS:
                    cursor.execute(ledger_sql.ADD_COLUMN.format(other))
                cursor.execute(ledger_sql.SET_STATUS, {"status": status})
                cursor.copy_expert(ledger_sql.COPY_READ.format(", ".join(columns)), file)
                rows += cursor.rowcount
        cursor.execute(ledger_sql.ANALYZE_READ)
    return rows


def know() -> None:
    """Makes the temporary table `known_contact` of what was loaded: one row an address."""
    with connection.cursor() as cursor:
        cursor.execute(ledger_sql.CREATE_KNOWN_CONTACT)
        cursor.execute(ledger_sql.ANALYZE_KNOWN_CONTACT)


def begin(run: Run, provider: Provider, name: str, **how: Any) -> Activity | None:
    """Starts the named contact export, and does not wait for it; None if this run has already."""
    known = run.read_back.get(name) or {}
    if known.get("activity"):
        return None
    activity = provider.export_contacts(**{"fields": ["email_address"], **how})
    _save(run, name, {**known, "activity": activity.activity_id, "begun": time.time(), "polls": 0})
    return activity


def ready(run: Run, provider: Provider, name: str) -> Activity | None:
    """The named contact export, if it was begun and is finished; not asked for too soon."""
    known = run.read_back.get(name) or {}
    if not known.get("activity") or abs(time.time() - known["begun"]) < poll_delay(0):
        return None
    activity = provider.activity(known["activity"])
    return activity if activity.state == "completed" else None


def finished(run: Run, provider: Provider, name: str, **how: Any) -> Activity:
    """The named contact export, finished; starts it if this run has not yet.

    Raises `TryLater` while the provider still prepares it, `NeverRead` when it won't.
    """
    activity = begin(run, provider, name, **how)
    known = run.read_back[name]
    if activity is None:
        activity = provider.activity(known["activity"])
        known = {**known, "polls": known["polls"] + 1}
    gave_up = activity.has_ended and activity.state != "completed"
    if gave_up:
        known = {"tries": known.get("tries", 0) + 1}
    _save(run, name, known)
    if gave_up and known["tries"] >= MAX_TRIES:
        raise NeverRead(why("export_given_up"))
    if gave_up:
        raise TryLater(why("export_given_up"), timezone.now() + GIVEN_UP_WAIT)
    if not activity.has_ended and known["polls"] > MAX_POLLS:
        raise NeverRead(why("export_never_ended"))
    if not activity.has_ended:
        raise TryLater(
            why("reading_list", requests=EXPORT_REQUESTS),
            timezone.now() + timedelta(seconds=poll_delay(known["polls"])),
        )
    return activity


def _save(run: Run, name: str, known: dict[str, Any]) -> None:
    run.read_back = {**run.read_back, name: known}
    run.save(update_fields=["read_back"])
