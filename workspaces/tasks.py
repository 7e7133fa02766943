"""Work that arrives through Celery: handed straight to the functions that do it."""

from celery import shared_task

from workspaces import due, execution


@shared_task
def start_due() -> None:
    due.start_due()


@shared_task
def run_refresh(workspace_id: int, refresh_id: int) -> None:
    execution.run_refresh(workspace_id, refresh_id)
