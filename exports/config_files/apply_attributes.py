"""Attributes, as a file says them. Their values are converted here and now, or nothing is done."""

from collections.abc import Collection

from exports.config_files.differences import KINDS
from exports.config_files.document import Attribute as Said
from exports.config_files.document import Document, Problem
from segments import attribute_changes, attributes
from segments.conversion import read_typed, typed
from segments.models import Attribute, AttributeChange
from workspaces.models import User, Workspace

Things = Collection[tuple[str, str]]


def apply(
    workspace: Workspace, wanted: Document, before: Document, by: User | None, *, removes: bool
) -> None:
    """Raises `Problem`."""
    had = before.attributes or {}
    judged_later = _rewritten(wanted, before, removes=removes)
    for name, said in (wanted.attributes or {}).items():
        kind, form = read_typed(typed(said.type, said.format)) or (said.type, "")
        if name not in had:
            attributes.create(
                workspace, name, label=said.label or name, kind=kind, form=form, by=by
            )
        elif said != had[name]:
            kept = Attribute.objects.select_related("workspace").get(name=name)
            _change(kept, said, kind, form, by, judged_later)


def _rewritten(wanted: Document, before: Document, *, removes: bool) -> set[tuple[str, str]]:
    """Whose rules or matching the file changes, or which it removes: once they are as it says,
    they are held against the types that it says.
    """
    found: set[tuple[str, str]] = set()
    for section, field in (("segments", "rules"), ("destinations", "matching")):
        said = getattr(wanted, section)
        if said is None:
            continue
        for name, had in getattr(before, section).items():
            if removes if name not in said else getattr(said[name], field) != getattr(had, field):
                found.add((KINDS[section], name))
    return found


def _change(
    kept: Attribute, said: Said, kind: str, form: str, by: User | None, judged_later: Things
) -> None:
    try:
        attributes.rename(kept, said.label or kept.name, by)
    except attributes.Refused as refusal:
        raise Problem(("attributes", kept.name, "label"), refusal) from refusal
    if typed(kept.type, kept.format) == typed(kind, form):
        return
    try:
        change = attributes.request_change(kept, kind, form, empties=False, by=by, but=judged_later)
    except attributes.Refused as refusal:
        raise Problem(("attributes", kept.name, "type"), refusal) from refusal
    if change is not None:
        _carry_out(change, "type", judged_later)


def remove(kept: Attribute, by: User | None) -> None:
    """Raises `Problem`."""
    try:
        change = attributes.request_removal(kept, by)
    except attributes.Refused as refusal:
        raise Problem(("attributes", kept.name), f"It can't be removed. {refusal}") from refusal
    _carry_out(change, "")


def _carry_out(change: AttributeChange, field: str, judged_later: Things = ()) -> None:
    name = change.attribute.name if change.attribute else change.name
    path = ("attributes", name, field) if field else ("attributes", name)
    try:
        attribute_changes.run_change(change, but=judged_later)
    except attribute_changes.AttributeBusy:
        raise Problem(path, "An import that fills it is going on. Wait for its end.") from None
    if change.state == AttributeChange.State.FAILED:
        raise Problem(path, attribute_changes.explanation(change))
