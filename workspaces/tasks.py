"""Work that arrives through Celery: handed straight to the functions that do it."""

from celery import shared_task
from django_scopes import scope

from workspaces import audit_chain, due, execution, retention
from workspaces.leaving import archives, deletion
from workspaces.models import EndpointDelivery, Workspace
from workspaces.notices import emails, endpoints, inbox, webhooks
from workspaces.work import working_for

# An endpoint that answers a byte at a time holds no worker for longer.
SECONDS_PER_ATTEMPT = 30
EXPIRE_SECONDS = 60
# What is not begun by then is the next night's.
PRUNING_EXPIRES_SECONDS = 12 * 3600


@shared_task
def start_due() -> None:
    due.start_due()


@shared_task
def forget_old_audit() -> None:
    for workspace in Workspace.objects.filter(audit_days__isnull=False):
        with scope(workspace=workspace):
            audit_chain.forget_old(workspace)


@shared_task
def prune() -> None:
    """Each workspace by itself: one with much to delete keeps no other waiting."""
    for pk in Workspace.objects.values_list("pk", flat=True):
        prune_workspace.apply_async((pk,), expires=PRUNING_EXPIRES_SECONDS)


@shared_task
def prune_workspace(workspace_id: int) -> None:
    with working_for(workspace_id, while_closing=True) as workspace:
        retention.prune(workspace)


@shared_task
def run_refresh(workspace_id: int, refresh_id: int) -> None:
    with working_for(workspace_id):
        execution.run_refresh(workspace_id, refresh_id)


@shared_task
def make_archive(workspace_id: int, archive_id: int) -> None:
    with working_for(workspace_id, while_closing=True) as workspace:
        archives.make(workspace, archive_id)


@shared_task
def delete_workspace(workspace_id: int) -> None:
    deletion.delete(workspace_id)


@shared_task
def send_notices() -> None:
    _hand_out_deliveries()
    emails.send_due()


def _hand_out_deliveries() -> None:
    """Those that no worker takes up in time are due at the next look."""
    for key in webhooks.due():
        attempt_delivery.apply_async(key, expires=EXPIRE_SECONDS)


@shared_task(soft_time_limit=SECONDS_PER_ATTEMPT, time_limit=2 * SECONDS_PER_ATTEMPT)
def attempt_delivery(workspace_id: int, delivery_id: int) -> None:
    with working_for(workspace_id):
        delivery = webhooks.attempt(delivery_id)
    if delivery is not None and delivery.state == EndpointDelivery.State.DELIVERED:
        _hand_out_deliveries()


@shared_task
def forget_old_notices() -> None:
    for workspace in Workspace.objects.all():
        with scope(workspace=workspace):
            endpoints.forget_old()
            inbox.forget_old()
