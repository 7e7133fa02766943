"""After a restore from a backup: the list says what the ledger has forgotten.

What was sent and taken off since the backup is on the provider's record only. So the first run of
each export reads the list before it plans, and a run that was under way is not gone on with.
"""

from typing import Any

from django.db import connection

from exports.configuration import RunConfiguration, configuration_of
from exports.engine import judge_sql, ledger_sql, restored_sql
from exports.models import Destination, Run
from segments.models import BLANKS
from workspaces.restored import restored_at

# What a contact export can tell of a contact, by the name that a field has there and here.
TELLABLE = ("first_name", "last_name", "job_title", "company_name")
FIELDS = ["email_address", *TELLABLE]


def was_planned_before(run: Run) -> bool:
    """Whether the run is of before the restore: nobody knows which of its batches have gone."""
    at = restored_at()
    return at is not None and run.planned_at is not None and run.planned_at < at


def is_first_since(run: Run) -> bool:
    """Whether no run of the export has read the list since the database was restored."""
    at = restored_at()
    if at is None or run.dry_run:
        return False
    since = Run.objects.filter(destination=run.destination_id, dry_run=False, created_at__gte=at)
    return not since.filter(read_back__list_known=True).exists()


def learn_from_list(run: Run) -> None:
    """Brings the ledger up to what was read, from `read_contact` and `off_list`.

    Whoever left the segments and is off the list was taken off by a run that is forgotten. Who is
    in the segments and on the list was sent by one: they are held as they are there, and sent again
    only if they differ, or if a contact export does not tell all that the export sends.
    """
    configuration = configuration_of(run.destination)
    destination = Destination.objects.get(pk=run.destination_id)
    if not destination.delivered_to:
        destination.delivered_to = configuration.delivered_to
        destination.save(update_fields=["delivered_to"])
    parameters: dict[str, Any] = {
        "workspace": run.workspace_id,
        "destination": run.destination_id,
        "account": configuration.account_id,
        "list": configuration.list_id,
        "segments": list(configuration.segment_ids),
        "email": configuration.email,
        "blanks": BLANKS,
    }
    with connection.cursor() as cursor:
        cursor.execute(restored_sql.CREATE_MEMBER, parameters)
        cursor.execute(restored_sql.FORGET_LEFT, parameters)
        if destination.delivered_to == configuration.delivered_to:
            # What the provider does not tell is taken for nothing: then the contact is sent again.
            for field in TELLABLE:
                cursor.execute(ledger_sql.ADD_COLUMN.format(field))
            held, more = _held(configuration)
            cursor.execute(restored_sql.ADOPT.format(hash=held), parameters | more)
        cursor.execute(restored_sql.DROP_MEMBER)


def _held(configuration: RunConfiguration) -> tuple[str, dict[str, Any]]:
    """The hash of a contact as it was read: of nothing that is sent, where not all is told."""
    fields = [match.field for match in configuration.matches]
    if not set(fields) <= set(TELLABLE):
        return "0", {}
    return judge_sql.contact_hash(
        "member.address", fields, [f"nullif(r.{field}, '')" for field in fields]
    )
