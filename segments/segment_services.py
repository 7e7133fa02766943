"""What can be done with segments. Saving one doesn't refresh it: `request_refresh` does."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from config.handing_over import after_commit
from segments import dependents
from segments.membership import refresh_segment, vocabulary
from segments.models import Segment, SegmentChange, SegmentMember, SegmentRefresh
from segments.rule_sentence import sentence
from segments.rule_tree import RuleError, read, segments_in, write
from segments.rule_values import NOT_TEXT
from segments.selectors import words
from workspaces import audit
from workspaces.models import User, Workspace

__all__ = [
    "ChangedMeanwhile",
    "Refused",
    "change_segment",
    "create_segment",
    "delete_segment",
    "duplicate_segment",
    "refresh_segment",
    "rename_segment",
    "request_refresh",
    "save",
]

LONGEST_NAME = 100


class Refused(Exception):
    """Why it can't be done, and what to do; the message is for people."""


class ChangedMeanwhile(Refused):
    """Somebody else saved the segment, `at` that moment, since the person opened it."""

    def __init__(self, at: datetime) -> None:
        told = (
            _("It has changed since it was read"),
            f"{_('Last updated')}: {formats.localize(timezone.localtime(at))}",
            _("Please try once more"),
        )
        super().__init__(". ".join(told))
        self.at = at


def create_segment(
    workspace: Workspace,
    name: str,
    rules: Any,
    by: User | None = None,
    description: str = "",
    *,
    is_draft: bool = False,
) -> Segment:
    """Raises `RuleError`, or `Refused` for a name that is missing, too long or taken.

    The rules of a draft need not make sense.
    """
    segment = Segment(
        workspace=workspace,
        name=name.strip(),
        rules=_as_entered(rules) if is_draft else write(read(rules, vocabulary())),
        description=description,
        state=Segment.State.DRAFT if is_draft else Segment.State.ACTIVE,
        created_by=by,
    )
    save(segment, "segment.created", by)
    return segment


def change_segment(
    segment: Segment,
    *,
    name: str,
    rules: Any,
    description: str,
    by: User | None,
    is_draft: bool = False,
    seen: datetime | None = None,
) -> None:
    """Raises as `create_segment` does; a rule that leads back to this segment is a circle.

    A draft becomes active, unless it is to stay one; only a draft can be one. Raises
    `ChangedMeanwhile` when the segment changed since `seen` (None: whatever it was).
    """
    with transaction.atomic():
        wait_for_other_changes(segment.workspace)
        changed_at = Segment.objects.values_list("updated_at", flat=True).get(pk=segment.pk)
        if seen is not None and changed_at != seen:
            raise ChangedMeanwhile(changed_at)
        if is_draft and segment.is_draft:
            segment.rules = _as_entered(rules)
        else:
            tree = read(rules, vocabulary())
            refuse_circle(segment, rules)
            segment.rules = write(tree)
            if segment.is_draft:
                segment.state = Segment.State.ACTIVE
        segment.name, segment.description = name, description
        save(segment, "segment.changed", by)


def wait_for_other_changes(workspace: Workspace) -> None:
    """Until the transaction ends no other segment's rules change: two could close a circle."""
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)


def _as_entered(value: Any) -> Any:
    """A draft's rules: as they make sense, or else without what no text can hold."""
    try:
        return write(read(value, vocabulary()))
    except RuleError:
        return _storable(value)


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return NOT_TEXT.sub("", value)
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, dict):
        return {key: _storable(one) for key, one in value.items()}
    return value


def rename_segment(segment: Segment, name: str, by: User | None) -> None:
    """Raises `Refused` for a name that is missing, too long or taken."""
    was, name = segment.name, name.strip()
    if name == was:
        return
    segment.name = name
    save(segment, "segment.renamed", by, was=was, becomes=name)


def save(segment: Segment, action: str, by: User | None, **details: str) -> None:
    """Keeps a segment whose rules are in order, and records it. Raises `Refused` for its name."""
    _refuse_bad_name(segment)
    told = details or {"rules": sentence(segment.rules, *words(), most_values=None)}
    try:
        with transaction.atomic():
            if segment.pk is None:
                segment.save()
            else:
                segment.save(update_fields=["name", "rules", "description", "state", "updated_at"])
            audit.record(segment.workspace, action, actor=by, target=segment, **told)
    except IntegrityError as conflict:
        raise _name_is_taken(segment.name) from conflict


def _refuse_bad_name(segment: Segment) -> None:
    if not 0 < len(segment.name) <= LONGEST_NAME or "\0" in segment.name:
        raise Refused(_("Give a name of at most %(most)d characters.") % {"most": LONGEST_NAME})
    if Segment.objects.filter(name__iexact=segment.name).exclude(pk=segment.pk).exists():
        raise _name_is_taken(segment.name)


def _name_is_taken(name: str) -> Refused:
    return Refused(
        _("Another segment is named “%(name)s”. Choose a different name.") % {"name": name}
    )


def request_refresh(segment: Segment, by: User | None = None) -> None:
    """Hands the refresh to a worker; on the audit log when a person asks for it.

    Raises `Refused` for a segment that is not active.
    """
    from segments.tasks import refresh_segment_task

    with transaction.atomic():
        asked = Segment.objects.filter(pk=segment.pk, state=Segment.State.ACTIVE).update(
            refresh_state=Segment.RefreshState.QUEUED, refresh_requested_at=timezone.now()
        )
        if not asked:
            raise Refused(
                _("The segment “%(name)s” is not active, so it is not refreshed. Activate it.")
                % {"name": segment.name}
            )
        if by is not None:
            audit.record(segment.workspace, "segment.refreshed", actor=by, target=segment)
        after_commit(lambda: refresh_segment_task.delay(segment.workspace_id, segment.pk))


def duplicate_segment(segment: Segment, by: User | None) -> Segment:
    """A copy under a name of its own, not refreshed yet; of a draft a draft. Raises `RuleError`."""
    from segments.static_segments import copy_list

    names = {name.lower() for name in Segment.objects.values_list("name", flat=True)}
    name = base = _("Copy of %(name)s") % {"name": segment.name[:80]}
    number = 2
    while name.lower() in names:
        name, number = f"{base} ({number})", number + 1
    with transaction.atomic():
        copy = create_segment(
            segment.workspace,
            name,
            segment.rules,
            by,
            segment.description,
            is_draft=segment.is_draft,
        )
        copy.tags = segment.tags
        copy.save(update_fields=["tags"])
        if segment.is_static:
            copy_list(segment, copy)
    return copy


def delete_segment(segment: Segment, by: User | None) -> None:
    """Raises `Refused` while something uses it, naming what."""
    with transaction.atomic():
        # A refresh under way ends before, or finds the segment gone and keeps nothing.
        kept = Segment.objects.select_for_update(of=("self",)).select_related("workspace")
        locked = kept.get(pk=segment.pk)
        used_by = dependents.of(locked)
        if used_by:
            raise Refused(
                _("The segment is used by %(names)s. Take it out there first.")
                % {"names": ", ".join(f"“{label}”" for label, _url in used_by)}
            )
        audit.record(locked.workspace, "segment.deleted", actor=by, target=locked)
        SegmentMember.objects.filter(
            workspace_id=locked.workspace_id, segment_id=locked.pk
        ).delete()
        SegmentChange.objects.filter(
            workspace_id=locked.workspace_id, segment_id=locked.pk
        ).delete()
        SegmentRefresh.objects.filter(segment=locked).delete()
        try:
            locked.delete()
        except ProtectedError as used:
            raise Refused(
                _("The segment has just been put to use. Look who uses it, and try again.")
            ) from used


def refuse_circle(segment: Segment, rules: Any) -> None:
    """Raises `RuleError`, at the rule that leads back to the segment."""
    trees = dict(Segment.objects.values_list("pk", "rules"))
    path = _path_back(segment.pk, rules, trees, ())
    if path is not None:
        raise RuleError(
            path, _("This segment would depend on itself. Take that segment out of its rules.")
        )


def _path_back(
    target: int, tree: Any, trees: dict[int, Any], path: tuple[int, ...]
) -> tuple[int, ...] | None:
    if "match" not in tree:
        return path if any(_leads(pk, target, trees) for pk in segments_in(tree)) else None
    found = (
        _path_back(target, one, trees, (*path, place)) for place, one in enumerate(tree["rules"])
    )
    return next((path for path in found if path is not None), None)


def _leads(pk: int, target: int, trees: dict[int, Any]) -> bool:
    open_, seen = [pk], set[int]()
    while open_:
        one = open_.pop()
        if one == target:
            return True
        if one not in seen:
            seen.add(one)
            open_ += segments_in(trees.get(one))
    return False
