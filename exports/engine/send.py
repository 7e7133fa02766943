"""Send: one batch, one request; what became of it is on record before anything else happens."""

import random
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from connections.access import NotUsable, client
from connections.models import Connection
from connections.provider import errors
from connections.provider.protocol import Activity, Provider
from exports.cutting import cut_out_suppressed
from exports.engine import broken_off, ledger_sql
from exports.engine.states import move_batch
from exports.models import Batch, Run
from exports.whys import Explained, Why, why, why_of
from workspaces import locks

MAX_ATTEMPTS = 12
LONGEST_WAIT = timedelta(minutes=5)
# A provider's clock may be off by minutes when its activities are compared with our attempts.
CLOCK_TOLERANCE = timedelta(minutes=5)


class TryLater(Explained):
    """The batch was not taken; worth trying again `at` a time."""

    def __init__(self, why: Why, at: datetime, *, budget: bool = False) -> None:
        super().__init__(why)
        self.at = at
        self.budget = budget

    @classmethod
    def after(cls, error: errors.ProviderError, attempts: int) -> "TryLater":
        """Not before the provider asks for it, and later with every attempt."""
        wait = max(error.retry_after or 0.0, backoff(attempts))
        return cls(why_of(error), timezone.now() + timedelta(seconds=wait))


class StopSending(Explained):
    """No batch of this run may be sent any more."""


def send_batch(run: Run, batch: Batch) -> None:
    """Sends the batch unless it was sent, or another worker is sending it now.

    Raises `TryLater` or `StopSending`; a batch that the provider refuses outright is failed.
    """
    with locks.held(locks.BATCH, batch.pk) as free:
        if not free:
            return
        batch.refresh_from_db()
        if batch.state != Batch.State.PLANNED:
            return
        if cause := broken_off.too_often(batch):
            move_batch(batch, Batch.State.FAILED, failure=Batch.Failure.GIVEN_UP, why=cause)
            return
        if not batch.attempts:
            cut_out_suppressed(run, batch)
        if batch.contacts:
            with broken_off.counted(batch):
                _send(run, batch)
        else:
            move_batch(batch, Batch.State.CONFIRMED)


def _send(run: Run, batch: Batch) -> None:
    destination = run.destination
    if destination.connection is None:
        raise StopSending(why("detached"))
    try:
        with requests_counted(run, destination.connection, locks.BATCH, batch.pk) as provider:
            activity = _earlier_attempt(provider, run, batch)
            if activity is None:
                _note_attempt(run, batch)
                activity = provider.import_contacts(bytes(batch.body or b""))
    except NotUsable as refusal:
        raise StopSending(why_of(refusal)) from refusal
    except errors.BudgetSpent as spent:
        raise TryLater(why_of(spent), spent.until, budget=True) from spent
    except errors.ProviderError as error:
        _judge(run, batch, error)
        return
    move_batch(
        batch,
        Batch.State.SENT,
        activity_id=activity.activity_id,
        activity=activity.as_json(),
        sent_at=timezone.now(),
    )


def _note_attempt(run: Run, batch: Batch) -> None:
    """On record before the request leaves, with the first one what the ledger says from then on."""
    with transaction.atomic():
        if not batch.attempts:
            _enter(run, batch)
        Batch.objects.filter(pk=batch.pk).update(
            attempts=F("attempts") + 1, attempted_at=timezone.now()
        )


def _enter(run: Run, batch: Batch) -> None:
    where = {"workspace": run.workspace_id, "destination": run.destination_id, "batch": batch.pk}
    with connection.cursor() as cursor:
        if batch.added == batch.contacts:
            # Faster, and as a rule enough: only whom the provider once refused is new and known.
            with suppress(IntegrityError), transaction.atomic():
                cursor.execute(ledger_sql.ENTER_ADDED, where)
                return
        cursor.execute(ledger_sql.ENTER_ADDED_AND_CHANGED, where)


def _judge(run: Run, batch: Batch, error: errors.ProviderError) -> None:
    if error.advice == "sign_in":
        raise StopSending(why_of(error)) from error
    if error.advice == "give_up":
        move_batch(batch, Batch.State.FAILED, failure=Batch.Failure.REFUSED, why=why_of(error))
        return
    batch.refresh_from_db(fields=["attempts"])
    if batch.attempts >= MAX_ATTEMPTS:
        move_batch(
            batch,
            Batch.State.FAILED,
            failure=Batch.Failure.GIVEN_UP,
            why=why("given_up", why_of(error), attempts=batch.attempts),
        )
        return
    raise TryLater.after(error, batch.attempts) from error


def backoff(attempts: int) -> float:
    """Seconds to wait before the next attempt: doubled each time, with jitter."""
    longest = min(LONGEST_WAIT.total_seconds(), 2.0 ** min(attempts, 16))
    return random.uniform(longest / 2, longest)  # noqa: S311 - spreads load, guards nothing


def _earlier_attempt(provider: Provider, run: Run, batch: Batch) -> Activity | None:
    """The activity of an attempt whose answer was lost, when only one can be it.

    Taking another batch's activity for this one would lose contacts, and sending twice changes
    nothing: so in any doubt there is none.
    """
    if batch.attempted_at is None:
        return None
    since = batch.attempted_at - CLOCK_TOLERANCE
    account_id = run.destination.delivered_to.partition(":")[0]
    # Read before the batches are: an activity seen here has its attempt on record there.
    candidates = [
        activity
        for activity in provider.activities()
        if activity.created_at is not None
        and activity.created_at >= since
        and activity.status.person_count == batch.contacts
    ]
    alike = (
        Batch.objects.filter(
            run__destination__delivered_to__startswith=f"{account_id}:",
            contacts=batch.contacts,
            attempted_at__gte=since - CLOCK_TOLERANCE,
        )
        .exclude(pk=batch.pk)
        .values_list("activity_id", "attempts")
    )
    if any(attempts != (1 if activity_id else 0) for activity_id, attempts in alike):
        return None
    known = {activity_id for activity_id, _ in alike} | _imports_of_removals(since)
    unknown = [activity for activity in candidates if activity.activity_id not in known]
    return unknown[0] if len(unknown) == 1 else None


def _imports_of_removals(since: datetime) -> set[str]:
    runs = Run.objects.filter(removal__has_key="imports", heartbeat_at__gte=since - CLOCK_TOLERANCE)
    return {one for known in runs.values_list("removal__imports", flat=True) for one in known}


class requests_counted:  # noqa: N801 - reads as a with-statement
    """The connection's client; its requests are added to the run's, whatever happens.

    None that changes something leaves without the lock it is made under, the run's if no other.
    Raises `NotFound` when the connection is for another account than the run was planned for:
    the run's list is not there, and its people are not to be sent there.
    """

    def __init__(
        self, run: Run, link: Connection, kind: int = locks.RUN, pk: int | None = None
    ) -> None:
        self.run = run
        self.link = link
        self.ensure_held = partial(locks.ensure_held, kind, run.pk if pk is None else pk)

    def __enter__(self) -> Provider:
        planned_for = self.run.destination.delivered_to.partition(":")[0]
        if self.run.planned_at is not None and planned_for not in ("", self.link.account_id):
            raise errors.NotFound("The connection is for another account by now.")
        self.client = client(self.link, before_change=self.ensure_held)
        return self.client

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is locks.Lost:
            return
        Run.objects.filter(pk=self.run.pk).update(
            requests=F("requests") + self.client.requests, heartbeat_at=timezone.now()
        )
