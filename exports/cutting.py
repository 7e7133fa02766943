"""People cut out of a request that has not left, who are not to be sent after all.

The run's account has them as suppressed then, and no longer as sent.
"""

from typing import Any

import orjson
from django.db import connection, transaction
from django.db.models import F

from exports import erasing_sql as sql
from exports import reasons
from exports.models import Batch, Rejection, Run
from segments.models import Profile, Suppression


def cut_out(
    batch: Batch, addresses: set[str], *, profile_id: int = 0, reason: str, nameless: bool = False
) -> None:
    """Takes out who has one of the addresses, or is the profile; belongs in a transaction.

    The batch is planned, and its lock is the caller's. `nameless`: the account
    keeps that somebody was left out, and not who.
    """
    run = batch.run
    where: dict[str, Any] = {
        "workspace": batch.workspace_id,
        "batch": batch.pk,
        "destination": run.destination_id,
        "addresses": list(addresses),
        "profile": profile_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql.CARRIED, where)
        cut: list[tuple[int, str, bool]] = cursor.fetchall()
        cursor.execute(sql.CUT_OUT, where)
    gone = addresses | {address for _profile, address, _was_held in cut}
    request = orjson.loads(bytes(batch.body or b"{}"))
    staying = [one for one in request["import_data"] if one["email"] not in gone]
    added = sum(not was_held for _profile, _address, was_held in cut)
    batch.body = orjson.dumps({**request, "import_data": staying})
    batch.body_bytes, batch.contacts, batch.added = (
        len(batch.body),
        len(staying),
        batch.added - added,
    )
    batch.save(update_fields=["body", "body_bytes", "contacts", "added"])
    # Batches of a run may be cut at the same time.
    Run.objects.filter(pk=run.pk).update(
        added=F("added") - added,
        changed=F("changed") - (len(cut) - added),
        suppressed=F("suppressed") + len(cut),
    )
    keys: dict[int, str] = {}
    if not nameless:
        ids = [profile for profile, _address, _was_held in cut]
        keys = dict(Profile.objects.filter(pk__in=ids).values_list("pk", "key"))
    Rejection.objects.bulk_create(
        Rejection(
            workspace_id=batch.workspace_id,
            run=run,
            profile_id=profile,
            profile_key=keys.get(profile, ""),
            address="" if nameless else address,
            kind=Rejection.Kind.SUPPRESSED,
            reason=reason,
        )
        for profile, address, _was_held in cut
    )


def cut_out_suppressed(run: Run, batch: Batch) -> None:
    """Whoever was put on the suppression list since the run began: its plan did not know."""
    if not Suppression.objects.filter(added_at__gte=run.started_at).exists():
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(sql.SUPPRESSED, {"workspace": batch.workspace_id, "batch": batch.pk})
            addresses = {address for (address,) in cursor.fetchall()}
        if addresses:
            cut_out(batch, addresses, reason=reasons.SUPPRESSED)
