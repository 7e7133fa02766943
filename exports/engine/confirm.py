"""Confirm: ask the provider what became of the batches it took, as seldom as will do."""

from datetime import timedelta

from django.utils import timezone

from connections.access import NotUsable
from connections.provider import errors
from connections.provider.protocol import Activity
from exports.engine.send import StopSending, TryLater, requests_counted
from exports.engine.states import move_batch
from exports.models import Batch, Run
from exports.whys import Why, why, why_of

ENDED_BADLY = {
    "cancelled": "import_cancelled",
    "failed": "import_failed",
    "timed_out": "import_timed_out",
}
# Activities are remembered ten days; one that has not ended after this long won't.
PATIENCE = timedelta(hours=24)
LONGEST_POLL_SECONDS = 60
# Some two hours: whatever is no import is of no use much later.
MAX_POLLS = 125


def confirm_batches(run: Run) -> bool:
    """Brings every batch that was sent up to date; returns whether all have ended.

    One request, however many batches: the list of activities, or the one activity if only one is
    open. Raises `TryLater`.
    """
    open_batches = list(run.batches.filter(state=Batch.State.SENT).defer("body").order_by("number"))
    if not open_batches:
        return True
    try:
        activities = _activities(run, open_batches)
    except (NotUsable, StopSending) as refusal:
        _outcome_unknown(open_batches, why_of(refusal))
        return True
    except errors.BudgetSpent as spent:
        raise TryLater(why_of(spent), spent.until, budget=True) from spent
    except errors.ProviderError as error:
        if error.advice != "retry" or all(_is_overdue(batch) for batch in open_batches):
            _outcome_unknown(open_batches, why_of(error))
            return True
        raise TryLater.after(error, 5) from error
    all_ended = True
    for batch in open_batches:
        activity = activities.get(batch.activity_id)
        if activity is not None and activity.has_ended:
            _end(batch, activity)
        elif _is_overdue(batch):
            _outcome_unknown([batch], why("not_within_a_day"))
        else:
            all_ended = False
    return all_ended


def give_up(run: Run, cause: Why) -> None:
    """Asks no more: what became of the batches that are still open stays unknown."""
    _outcome_unknown(list(run.batches.filter(state=Batch.State.SENT).defer("body")), cause)


def poll_delay(polls: int) -> float:
    """Seconds until the next look: doubled each time up to a minute, since each costs budget."""
    return min(LONGEST_POLL_SECONDS, 0.5 * 2 ** min(polls, 10))


def _is_overdue(batch: Batch) -> bool:
    return batch.sent_at is not None and timezone.now() - batch.sent_at > PATIENCE


def _activities(run: Run, open_batches: list[Batch]) -> dict[str, Activity]:
    wanted = {batch.activity_id for batch in open_batches}
    connection = run.destination.connection
    if connection is None:
        raise StopSending(why("detached"))
    with requests_counted(run, connection) as provider:
        if len(wanted) == 1:
            activity = provider.activity(next(iter(wanted)))
            return {activity.activity_id: activity}
        found: dict[str, Activity] = {}
        for activity in provider.activities():
            if activity.activity_id in wanted:
                found[activity.activity_id] = activity
                if len(found) == len(wanted):
                    break
        return found


def _end(batch: Batch, activity: Activity) -> None:
    answer = activity.as_json()
    bad_end = ENDED_BADLY.get(activity.state)
    if bad_end:
        said = "; ".join(activity.activity_errors[:3])
        move_batch(
            batch,
            Batch.State.FAILED,
            failure=Batch.Failure.REFUSED,
            activity=answer,
            why=why(bad_end, said=said),
        )
        return
    move_batch(
        batch, Batch.State.CONFIRMED, activity=answer, rejected=refused(activity, batch.contacts)
    )


def refused(activity: Activity, contacts: int) -> int:
    """How many of the batch's contacts the counters say were refused."""
    status = activity.status
    counted = (
        (status.error_count or 0)
        + (status.correctable_count or 0)
        + (status.cannot_add_to_list_count or 0)
    )
    missing = contacts - status.person_count if status.person_count is not None else 0
    return min(contacts, max(counted, missing))


def _outcome_unknown(batches: list[Batch], cause: Why) -> None:
    for batch in batches:
        move_batch(
            batch,
            Batch.State.FAILED,
            failure=Batch.Failure.OUTCOME_UNKNOWN,
            why=why("outcome_unread", cause),
        )
