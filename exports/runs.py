"""What can be done with runs: start one, cancel one, and the account of one."""

from contextlib import suppress
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from config.handing_over import after_commit
from exports.models import Delivery, Destination, Run
from workspaces import audit
from workspaces.models import User, Workspace
from workspaces.sentences import Explained
from workspaces.sentences import gettext as _


class RunRefused(Explained):
    """Why a run is not started or not cancelled; the message is for people."""


class RunActive(RunRefused):
    """A run of the export is going on."""


def start_run(
    destination: Destination,
    *,
    trigger: Run.Trigger,
    by: User | None = None,
    full: bool = False,
    dry_run: bool = False,
    check_list: bool = False,
    enqueue: bool = True,
) -> Run:
    """Queues a run for the workers, or with `enqueue` off for the caller to drive.

    With `check_list` it reads the list first, though nobody may be sent again.

    Raises `RunRefused` when the destination rests or runs already.
    """
    from exports.tasks import drive_run

    if destination.connection_id is None:
        raise RunRefused(
            _("This export has no connection. Edit it and choose one, then run it again.")
        )
    if Workspace.objects.filter(pk=destination.workspace_id, delete_at__isnull=False).exists():
        raise RunRefused(
            _("This workspace is to be deleted: nothing is sent from it until that is taken back.")
        )
    try:
        with transaction.atomic():
            run = Run.objects.create(
                workspace_id=destination.workspace_id,
                destination=destination,
                trigger=trigger,
                started_by=by,
                full=full,
                dry_run=dry_run,
                read_back={"needs_list": True} if check_list else {},
                heartbeat_at=timezone.now(),
            )
            audit.record(
                destination.workspace,
                "run.started",
                actor=by,
                target=destination,
                run=run.pk,
                trigger=str(trigger),
                full=full,
                dry_run=dry_run,
                check_list=check_list,
            )
    except IntegrityError as conflict:
        raise RunActive(
            _("This export is running already. Wait for that run to end, or cancel it.")
        ) from conflict
    if enqueue:
        after_commit(lambda: drive_run.delay(run.workspace_id, run.pk))
    return run


def cancel_run(run: Run, by: User | None) -> None:
    """Asks the run to stop at the next batch; what the provider took is settled.

    Raises `RunRefused` when it has ended.
    """
    from exports.tasks import drive_run

    with transaction.atomic():
        asked = Run.objects.filter(
            pk=run.pk, state__in=Run.ACTIVE, cancel_requested_at__isnull=True
        ).update(cancel_requested_at=timezone.now(), cancelled_by=by, waiting_until=None)
        if not asked:
            raise RunRefused(_("This run has ended or is being cancelled already."))
        audit.record(run.workspace, "run.cancelled", actor=by, target=run.destination, run=run.pk)
    after_commit(lambda: drive_run.delay(run.workspace_id, run.pk))


def stop_all(workspace: Workspace) -> None:
    """Asks every run of the workspace, the one in scope, to stop."""
    for run in Run.objects.filter(state__in=Run.ACTIVE, cancel_requested_at=None):
        with suppress(RunRefused):
            cancel_run(run, by=None)


def retry_rejected(run: Run, by: User | None, trigger: Run.Trigger = Run.Trigger.MEMBER) -> Run:
    """Starts another run of the export, which sends those again that were refused as they are.

    Raises `RunRefused`.
    """
    destination = run.destination
    with transaction.atomic():
        refused = Delivery.objects.filter(
            workspace_id=run.workspace_id, destination_id=destination.pk
        ).exclude(refusal="")
        refused.delete()
        return start_run(destination, trigger=trigger, by=by)


def approve_run(run: Run, by: User | None) -> None:
    """Lets a run take off as many as it asked for; it is planned anew, and goes on.

    Raises `RunRefused` when it does not wait for approval.
    """
    from exports.engine.states import WrongState, move_run
    from exports.tasks import drive_run

    with transaction.atomic():
        try:
            move_run(
                run,
                Run.State.PLANNING,
                approved_removals=run.to_remove,
                approved_by=by,
                read_back={},
                heartbeat_at=timezone.now(),
            )
        except WrongState as moved:
            raise RunRefused(_("This run does not wait for approval any more.")) from moved
        audit.record(
            run.workspace,
            "run.approved",
            actor=by,
            target=run.destination,
            run=run.pk,
            to_remove=run.to_remove,
        )
    after_commit(lambda: drive_run.delay(run.workspace_id, run.pk))


def run_account(run: Run) -> dict[str, Any]:
    """The account under the names that scripts depend on (`--json`, the API)."""
    ended = run.finished_at or timezone.now()
    return {
        "run": run.pk,
        "state": run.state,
        "reason": run.reason,
        "in_segments": run.in_segments,
        "sent": run.sent,
        "unchanged": run.unchanged,
        "duplicate": run.duplicate,
        "invalid": run.invalid,
        "suppressed": run.suppressed,
        "rejected": run.rejected,
        "added": run.added,
        "changed": run.changed,
        "removed": run.removed,
        "requests": run.requests,
        "seconds": round((ended - (run.started_at or run.created_at)).total_seconds(), 3),
    }
