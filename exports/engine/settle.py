"""Settle: what failed is taken back from the ledger, what was refused is named, the run ends.

All in one transaction: the account, the ledger and the run's end agree or nothing has happened.
"""

from typing import Any

from django.db import connection, transaction

from connections.access import NotUsable
from connections.provider import errors
from exports.engine import ledger_sql, read_back
from exports.engine.send import TryLater, requests_counted
from exports.engine.states import move_run
from exports.models import Batch, BatchContacts, Run
from exports.whys import Why, dumped, why, why_of
from workspaces import audit
from workspaces.planner import expect_rows

MAX_TRIES = 12


def settle_run(run: Run, unread: Why | None = None) -> None:
    """Ends a run all of whose batches have ended. Raises `TryLater` while the list is read back.

    It is not, and nobody refused is named, with a reason why it stays `unread`.
    """
    refusing = list(run.batches.filter(state=Batch.State.CONFIRMED, rejected__gt=0).defer("body"))
    failed = list(run.batches.filter(state=Batch.State.FAILED).defer("body"))
    if refusing and not unread and run.destination.connection is not None:
        try:
            with requests_counted(run, run.destination.connection) as provider:
                exports = read_back.finished_exports(run, provider)
                with transaction.atomic():
                    read_back.load(provider, exports)
                    read_back.know()
                    _end(run, failed, refusing, unread={})
                return
        except errors.BudgetSpent as spent:
            raise TryLater(why_of(spent), spent.until, budget=True) from spent
        except errors.ProviderError as error:
            tries = run.read_back.get("settle_tries", 0) + 1
            if error.advice == "retry" and tries < MAX_TRIES:
                run.read_back = {**run.read_back, "settle_tries": tries}
                run.save(update_fields=["read_back"])
                raise TryLater.after(error, tries) from error
            unread = why_of(error)
        except (NotUsable, read_back.NeverRead) as refusal:
            unread = why_of(refusal)
    with transaction.atomic():
        _end(run, failed, refusing, unread=unread if unread and refusing else {})


def _end(run: Run, failed: list[Batch], refusing: list[Batch], *, unread: Why) -> None:
    run = Run.objects.select_for_update().get(pk=run.pk)
    with connection.cursor() as cursor:
        expect_rows(cursor, run.in_segments)
    moved = {"added": run.added, "changed": run.changed, "rejected": run.rejected}
    for batch in failed:
        _count(moved, _take_back(run, batch))
    for batch in refusing:
        _count(moved, _name_refused(run, batch) if not unread else (0, 0))
    BatchContacts.objects.filter(batch__run=run).delete()
    state, reason = _outcome(run, failed, refusing, unread, moved["rejected"])
    move_run(run, state, why=reason, **moved)
    audit.record(
        run.workspace,
        "run.finished",
        target=run.destination,
        run=run.pk,
        state=run.state,
    )


def _count(moved: dict[str, int], taken: tuple[int, int]) -> None:
    added, changed = taken
    moved["added"] -= added
    moved["changed"] -= changed
    moved["rejected"] += added + changed


def _of_batch(run: Run, batch: Batch) -> dict[str, Any]:
    return {
        "workspace": run.workspace_id,
        "destination": run.destination_id,
        "run": run.pk,
        "batch": batch.pk,
    }


def _take_back(run: Run, batch: Batch) -> tuple[int, int]:
    where = _of_batch(run, batch)
    with connection.cursor() as cursor:
        cursor.execute(
            ledger_sql.REJECT_BATCH,
            {**where, "reason": batch.failure, "detail": dumped(batch.why)},
        )
        may_be_taken = batch.may_be_taken
        cursor.execute(ledger_sql.DOUBT_ADDED if may_be_taken else ledger_sql.FORGET_ADDED, where)
        cursor.execute(ledger_sql.RESTORE_CHANGED, {**where, "may_be_taken": may_be_taken})
    return batch.added, batch.contacts - batch.added


def _name_refused(run: Run, batch: Batch) -> tuple[int, int]:
    with connection.cursor() as cursor:
        account, _, list_id = run.destination.delivered_to.partition(":")
        where = {**_of_batch(run, batch), "account": account, "list": list_id}
        cursor.execute(ledger_sql.REJECT_REFUSED, where)
        added, changed = cursor.fetchone()
    return added, changed


def _outcome(
    run: Run, failed: list[Batch], refusing: list[Batch], unread: Why, rejected: int
) -> tuple[Run.State, Why]:
    if run.cancel_requested_at is not None:
        return Run.State.CANCELLED, {}
    if failed:
        causes = {dumped(batch.why): batch.why for batch in failed if batch.why}
        counts = {"failed": len(failed), "all": run.batches.count()}
        return Run.State.FAILED, why("batches_failed", *causes.values(), **counts)
    if unread:
        count = sum(batch.rejected for batch in refusing)
        return Run.State.FAILED, why("refused_unnamed", unread, count=count)
    if run.removal.get("problem"):
        return Run.State.FAILED, why("not_taken_off", run.removal["problem"])
    if rejected:
        return Run.State.SUCCEEDED_WITH_REJECTIONS, {}
    return Run.State.SUCCEEDED, {}
