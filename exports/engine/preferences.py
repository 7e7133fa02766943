"""Preferences: what people said at the provider since the last run, before anything is planned.

The provider is where people's preferences are kept. Once a day everyone who unsubscribed is read,
by one contact export; in between only who did since the last look, 500 a request.
"""

import io
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from connections.constant_contact import errors
from connections.constant_contact.client import Client
from exports.engine import preferences_sql as sql
from exports.engine import read_back
from exports.engine.send import TryLater, backoff, requests_counted
from exports.models import PreferencePull, Run

WHOLE_EVERY = timedelta(days=1)
# The provider's clock may be off by minutes, and a page may be made while it is read.
OVERLAP = timedelta(minutes=10)
MAX_TRIES = 12


class NotPulled(Exception):
    """Why what people said there can't be known; the message is for people."""


def pull(run: Run) -> None:
    """Brings the opt-outs of the run's account up to date, once a run.

    Raises `TryLater`, and `NotPulled` when it is of no use to try again.
    """
    if run.dry_run or run.destination.connection is None or run.read_back.get("pulled"):
        return
    try:
        with requests_counted(run, run.destination.connection) as provider:
            _pull(run, run.destination.connection.account_id, provider)
    except errors.BudgetSpent as spent:
        raise TryLater(str(spent), spent.until, budget=True) from spent
    except errors.ConstantContactError as error:
        tries = run.read_back.get("pull_tries", 0) + 1
        if error.advice != "retry" or tries >= MAX_TRIES:
            raise NotPulled(str(error)) from error
        _save(run, pull_tries=tries)
        wait = getattr(error, "retry_after", None) or backoff(tries)
        raise TryLater(str(error), timezone.now() + timedelta(seconds=wait)) from error
    _save(run, pulled=True)


def _pull(run: Run, account_id: str, provider: Client) -> None:
    known = PreferencePull.objects.filter(account_id=account_id).first()
    began = timezone.now()
    if known is None or known.read_whole_at < began - WHOLE_EVERY:
        export = read_back.finished(run, provider, "opted_out", status="unsubscribed")
        rows = provider.download_export(export)
        addresses: Iterable[str] = (row.get("email address", "") for row in rows)
        _keep(run, account_id, addresses, began, whole=True)
        return
    since = (known.pulled_at - OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")
    contacts = provider.contacts(status="unsubscribed", optout_after=since)
    found = [one.email_address.address for one in contacts if one.email_address is not None]
    _keep(run, account_id, found, began, whole=False)


@transaction.atomic
def _keep(
    run: Run, account_id: str, addresses: Iterable[str], at: datetime, *, whole: bool
) -> None:
    where: dict[str, Any] = {
        "workspace": run.workspace_id,
        "account": account_id,
        "delivered_to": account_id.replace("_", r"\_").replace("%", r"\%") + ":%",
    }
    changed = 0
    with connection.cursor() as cursor:
        cursor.execute(sql.CREATE_READ)
        for block in _blocks(addresses):
            cursor.copy_expert(sql.COPY_READ, block)
        cursor.execute("ANALYZE read_optout")
        cursor.execute(sql.ADD, where)
        changed += cursor.rowcount
        if whole:
            cursor.execute(sql.FORGET_OTHERS, where)
            changed += cursor.rowcount
        if changed or whole:
            cursor.execute(sql.MARK, where)
        if whole:
            cursor.execute(sql.FORGET_RETURNED, where)
        cursor.execute("DROP TABLE read_optout")
    values: dict[str, Any] = {"pulled_at": at} | ({"read_whole_at": at} if whole else {})
    PreferencePull.objects.update_or_create(
        workspace_id=run.workspace_id, account_id=account_id, defaults=values
    )


def _blocks(addresses: Iterable[str]) -> Iterable[io.StringIO]:
    block, held = io.StringIO(), 0
    for address in addresses:
        if not address or any(mark in address for mark in "\\\t\n\r"):
            continue
        block.write(f"{address}\n")
        held += 1
        if held == read_back.ROWS_A_COPY:
            block.seek(0)
            yield block
            block, held = io.StringIO(), 0
    block.seek(0)
    yield block


def _save(run: Run, **progress: Any) -> None:
    run.read_back = {**run.read_back, **progress}
    run.save(update_fields=["read_back"])
