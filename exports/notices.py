"""Tells of runs: what failed and runs again, what was rejected, what wants approval.

Called with every change of a run's state, in its transaction. A trial run tells members nothing.
"""

from django.urls import reverse_lazy
from django.utils.functional import Promise

from exports import whys
from exports.models import Run
from workspaces.notices import telling
from workspaces.notices.models import Notice
from workspaces.sentences import gettext as _
from workspaces.sentences import ngettext

FAILED, REJECTIONS, APPROVAL = "run_failed", "run_rejections", "run_approval"
RUN_FINISHED, RUN_NEEDS_APPROVAL = "run.finished", "run.needs_approval"

State = Run.State
WELL = (State.SUCCEEDED, State.SUCCEEDED_WITH_REJECTIONS)
_COUNTS = (
    "in_segments",
    "sent",
    "unchanged",
    "duplicate",
    "invalid",
    "suppressed",
    "rejected",
    "added",
    "changed",
    "removed",
    "to_remove",
    "requests",
)


def run_moved(run: Run) -> None:
    """The run has just come into its state."""
    if run.state == State.AWAITING_APPROVAL:
        _wants_approval(run)
        return
    if not run.dry_run:
        telling.ends(run.workspace, APPROVAL, _subject(run))
    if run.is_active:
        return
    _finished(run)
    if run.dry_run:
        return
    if run.state == State.FAILED:
        telling.begins(
            run.workspace, FAILED, _subject(run), _why_failed(run), _path(run), data=_data(run)
        )
    elif run.state in WELL:
        telling.ends(
            run.workspace,
            FAILED,
            _subject(run),
            _("The export “%(export)s” runs again.") % {"export": run.destination.name},
            _path(run),
            data=_data(run),
        )
        _judge_rejections(run)


def _wants_approval(run: Run) -> None:
    text = ngettext(
        "“%(export)s” wants to take %(count)s person off its list, and waits for approval.",
        "“%(export)s” wants to take %(count)s people off its list, and waits for approval.",
        run.to_remove,
    ) % {"export": run.destination.name, "count": run.to_remove}
    tone = Notice.Tone.WARN
    data = _data(run)
    telling.begins(run.workspace, APPROVAL, _subject(run), text, _path(run), tone=tone, data=data)
    telling.happened(run.workspace, RUN_NEEDS_APPROVAL, data, text=text, path=_path(run))


def _why_failed(run: Run) -> telling.Sentence:
    name = {"export": run.destination.name}
    if not run.why.get("code"):
        return _("The export “%(export)s” failed.") % name
    reason = whys.sentence(run.why)
    return _("The export “%(export)s” failed: %(reason)s") % {**name, "reason": reason}


def _judge_rejections(run: Run) -> None:
    """Whether more of those in the segments were rejected than the workspace puts up with."""
    workspace = run.workspace
    if run.rejected * 100 > workspace.rejected_share * run.in_segments:
        text = _(
            "“%(export)s”: Constant Contact rejected %(rejected)s of %(all)s profiles, more than"
            " %(share)s %%."
        ) % {
            "export": run.destination.name,
            "rejected": run.rejected,
            "all": run.in_segments,
            "share": workspace.rejected_share,
        }
        tone = Notice.Tone.WARN
        telling.begins(
            workspace, REJECTIONS, _subject(run), text, _path(run), tone=tone, data=_data(run)
        )
    else:
        text = _("“%(export)s”: few or no profiles are rejected any more.") % {
            "export": run.destination.name
        }
        telling.ends(workspace, REJECTIONS, _subject(run), text, _path(run), data=_data(run))


def _finished(run: Run) -> None:
    outcome = {
        State.SUCCEEDED: _("A run of “%(export)s” succeeded: %(sent)s sent."),
        State.SUCCEEDED_WITH_REJECTIONS: _(
            "A run of “%(export)s” succeeded: %(sent)s sent, %(rejected)s rejected."
        ),
        State.FAILED: _("A run of “%(export)s” failed."),
        State.CANCELLED: _("A run of “%(export)s” was cancelled."),
        State.SKIPPED: _("A run of “%(export)s” was skipped."),
    }[State(run.state)]
    values = {"export": run.destination.name, "sent": run.sent, "rejected": run.rejected}
    telling.happened(
        run.workspace, RUN_FINISHED, _data(run), text=outcome % values, path=_path(run)
    )


def _data(run: Run) -> dict[str, object]:
    return {
        "run": run.pk,
        "export": run.destination_id,
        "name": run.destination.name,
        "state": str(run.state),
        "reason": run.why.get("code", ""),
        "dry_run": run.dry_run,
        **{name: getattr(run, name) for name in _COUNTS},
    }


def _subject(run: Run) -> str:
    return f"destination:{run.destination_id}"


def _path(run: Run) -> str | Promise:
    return reverse_lazy("exports:run_detail", args=[run.workspace.slug, run.pk])
