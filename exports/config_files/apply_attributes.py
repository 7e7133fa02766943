"""Attributes, as a file says them. Their values are converted here and now, or nothing is done."""

from exports.config_files.document import Attribute as Said
from exports.config_files.document import Document, Problem
from segments import attribute_changes, attributes
from segments.conversion import read_typed, typed
from segments.models import Attribute, AttributeChange
from workspaces.models import User, Workspace


def apply(workspace: Workspace, wanted: Document, before: Document, by: User | None) -> None:
    """Raises `Problem`."""
    had = before.attributes or {}
    for name, said in (wanted.attributes or {}).items():
        kind, form = read_typed(typed(said.type, said.format)) or (said.type, "")
        if name not in had:
            attributes.create(
                workspace, name, label=said.label or name, kind=kind, form=form, by=by
            )
        elif said != had[name]:
            kept = Attribute.objects.select_related("workspace").get(name=name)
            _change(kept, said, kind, form, by)


def _change(kept: Attribute, said: Said, kind: str, form: str, by: User | None) -> None:
    try:
        attributes.rename(kept, said.label or kept.name, by)
    except attributes.Refused as refusal:
        raise Problem(("attributes", kept.name, "label"), refusal) from refusal
    if typed(kept.type, kept.format) == typed(kind, form):
        return
    try:
        change = attributes.request_change(kept, kind, form, empties=False, by=by)
    except attributes.Refused as refusal:
        raise Problem(("attributes", kept.name, "type"), refusal) from refusal
    if change is not None:
        _carry_out(change, "type")


def remove(kept: Attribute, by: User | None) -> None:
    """Raises `Problem`."""
    try:
        change = attributes.request_removal(kept, by)
    except attributes.Refused as refusal:
        raise Problem(("attributes", kept.name), f"It can't be removed. {refusal}") from refusal
    _carry_out(change, "")


def _carry_out(change: AttributeChange, field: str) -> None:
    name = change.attribute.name if change.attribute else change.name
    path = ("attributes", name, field) if field else ("attributes", name)
    try:
        attribute_changes.run_change(change)
    except attribute_changes.AttributeBusy:
        raise Problem(path, "An import that fills it is going on. Wait for its end.") from None
    if change.state == AttributeChange.State.FAILED:
        raise Problem(path, attribute_changes.explanation(change))
