"""The steps of a refresh: written when it begins, done one after the other, tried again."""

import logging
from collections import Counter

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from workspaces import refreshes
from workspaces.models import Refresh, RefreshStep, Workspace
from workspaces.sentences import Sentence, joined, ngettext
from workspaces.sentences import gettext as _

logger = logging.getLogger(__name__)

State = RefreshStep.State
BADLY_ENDED = (State.FAILED, State.SKIPPED)


class Closing(Exception):
    """The workspace is to be deleted: the steps that are left wait for that to be taken back."""


@transaction.atomic
def write(refresh: Refresh) -> None:
    """Writes the steps, each after those it needs; once a refresh."""
    positions: dict[refreshes.Thing, int] = {}
    steps: list[RefreshStep] = []
    for kind in refreshes.kinds():
        for planned in kind.plan(refresh):
            # What comes later can't be needed: a circle, which its own step finds out.
            needs = [positions[thing] for thing in planned.needs if thing in positions]
            position = positions[kind.name, planned.object_id] = len(steps)
            steps.append(
                RefreshStep(
                    workspace_id=refresh.workspace_id,
                    refresh=refresh,
                    position=position,
                    kind=kind.name,
                    object_id=planned.object_id,
                    name=planned.name[:255],
                    needs=sorted(needs),
                )
            )
    RefreshStep.objects.bulk_create(steps)
    refresh.planned_at = timezone.now()
    refresh.save(update_fields=["planned_at"])


def carry_out_all(refresh: Refresh) -> None:
    """Carries out every step that has not ended; one that was interrupted is done again.

    Raises `Closing`.
    """
    steps = list(refresh.steps.order_by("position"))
    by_position = {step.position: step for step in steps}
    for step in steps:
        if step.state not in (State.WAITING, State.RUNNING):
            continue
        if Workspace.objects.filter(pk=refresh.workspace_id, delete_at__isnull=False).exists():
            raise Closing
        step.refresh = refresh
        missing = [
            by_position[need].name for need in step.needs if by_position[need].state in BADLY_ENDED
        ]
        if missing:
            _skip(step, missing)
        else:
            _carry_out(step)


def outcome(refresh: Refresh) -> Sentence | None:
    """Why the refresh failed; None when every step succeeded."""
    states = Counter(refresh.steps.order_by().values_list("state", flat=True))
    failed, skipped = states[State.FAILED], states[State.SKIPPED]
    if not failed and not skipped:
        return None
    first = refresh.steps.filter(state=State.FAILED).order_by("position").first()
    if failed == 1 and first is not None:
        said = _("“%(name)s” failed: %(reason)s") % {"name": first.name, "reason": first.reason}
    else:
        said = ngettext("%(count)d step failed.", "%(count)d steps failed.", failed) % {
            "count": failed
        }
    if skipped:
        then = ngettext(
            "%(count)d step that depends on it was skipped.",
            "%(count)d steps that depend on it were skipped.",
            skipped,
        ) % {"count": skipped}
        said = joined(said, then)
    return said


def to_try_again(refresh: Refresh, step: RefreshStep | None = None) -> list[RefreshStep]:
    """The steps that a retry does again: the failed one with what was skipped for it, or all."""
    steps = list(refresh.steps.order_by("position"))
    if step is None:
        return [one for one in steps if one.state in BADLY_ENDED]
    again = {step.position}
    for one in steps:
        if one.state == State.SKIPPED and again.intersection(one.needs):
            again.add(one.position)
    return [one for one in steps if one.position in again and one.state in BADLY_ENDED]


def _skip(step: RefreshStep, missing: list[str]) -> None:
    names = ", ".join(f"“{name}”" for name in missing)
    reason = _("It depends on %(names)s, which did not succeed.") % {"names": names}
    refreshes.kind_of(step.kind).skip(step)
    _end(step, State.SKIPPED, reason=reason)


def _carry_out(step: RefreshStep) -> None:
    step.state, step.started_at = State.RUNNING, step.started_at or timezone.now()
    step.save(update_fields=["state", "started_at"])
    try:
        counts = refreshes.kind_of(step.kind).carry_out(step)
    except refreshes.StepFailed as failure:
        _end(step, State.FAILED, reason=failure.sentence)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("Step %s of refresh %s failed.", step.position, step.refresh_id)
        reason = _("A fault in Segue itself stopped this step. The operator’s log has the details.")
        _end(step, State.FAILED, reason=reason)
    else:
        _end(step, State.SUCCEEDED, counts=counts)


def _end(step: RefreshStep, state: RefreshStep.State, **values: object) -> None:
    step.state, step.finished_at = state, timezone.now()
    for name, value in values.items():
        setattr(step, name, value)
    step.save(update_fields=["state", "finished_at", *values])
