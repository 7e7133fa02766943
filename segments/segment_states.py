"""A segment's state: a draft becomes active, an active one may rest for a while."""

from django.db import transaction

from segments.membership import give_up_waiting, vocabulary
from segments.models import Segment
from segments.rule_tree import read
from segments.segment_services import refuse_circle, request_refresh, wait_for_other_changes
from workspaces import audit
from workspaces.models import User


def activate(segment: Segment, by: User | None) -> None:
    """From now on it is refreshed, the first time at once. Raises `RuleError`."""
    with transaction.atomic():
        wait_for_other_changes(segment.workspace)
        locked = _locked(segment)
        if locked.is_active:
            return
        read(locked.rules, vocabulary())
        refuse_circle(locked, locked.rules)
        _move(locked, Segment.State.ACTIVE, "segment.activated", by)
        request_refresh(locked)


def deactivate(segment: Segment, by: User | None) -> None:
    """It keeps its members and is refreshed no more; a refresh under way ends."""
    with transaction.atomic():
        locked = _locked(segment)
        if not locked.is_active:
            return
        _move(locked, Segment.State.INACTIVE, "segment.deactivated", by)
        if locked.refresh_state == Segment.RefreshState.QUEUED:
            give_up_waiting(locked)


def _locked(segment: Segment) -> Segment:
    found = Segment.objects.select_for_update(of=("self",)).select_related("workspace")
    return found.get(pk=segment.pk)


def _move(segment: Segment, state: Segment.State, action: str, by: User | None) -> None:
    segment.state = state
    segment.save(update_fields=["state", "updated_at"])
    audit.record(segment.workspace, action, actor=by, target=segment)
