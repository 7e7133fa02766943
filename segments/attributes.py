"""What can be asked of attributes: another name, another type for all their values, removal."""

from collections.abc import Collection
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from config.handing_over import after_commit
from segments import attribute_uses
from segments.conversion import typed
from segments.models import Attribute, AttributeChange, AttributeType, Import, SqlQuery
from workspaces import audit
from workspaces.models import User, Workspace

LONGEST_LABEL = 255
UNFINISHED_IMPORTS = (Import.State.DRAFT, Import.State.QUEUED, Import.State.RUNNING)


class Refused(Exception):
    """Why it can't be done, and what to do; the message is for people."""


def create(
    workspace: Workspace, name: str, *, label: str, kind: str, form: str, by: User | None
) -> Attribute:
    """An attribute that no profile has yet, after the others."""
    last = Attribute.objects.aggregate(last=Max("position"))["last"]
    with transaction.atomic():
        attribute = Attribute.objects.create(
            workspace=workspace,
            name=name,
            label=label,
            type=kind,
            format=form,
            position=0 if last is None else last + 1,
        )
        audit.record(
            workspace, "attribute.created", actor=by, target=attribute, becomes=typed(kind, form)
        )
    return attribute


def rename(attribute: Attribute, label: str, by: User | None) -> None:
    """Raises `Refused` for a label that is missing, too long or another attribute's."""
    was, label = attribute.label, label.strip()
    if label == was:
        return
    if not 0 < len(label) <= LONGEST_LABEL or "\0" in label:
        raise Refused(_("Give a name of at most %(most)d characters.") % {"most": LONGEST_LABEL})
    if Attribute.objects.filter(label__iexact=label).exclude(pk=attribute.pk).exists():
        raise Refused(
            _("Another attribute is named “%(name)s”. Choose a different name.") % {"name": label}
        )
    with transaction.atomic():
        attribute.label = label
        attribute.save(update_fields=["label"])
        tell_imports(attribute, label=label)
        audit.record(
            attribute.workspace,
            "attribute.renamed",
            actor=by,
            target=attribute,
            was=was,
            becomes=label,
        )


def request_change(
    attribute: Attribute,
    kind: str,
    form: str,
    *,
    empties: bool,
    by: User | None,
    but: Collection[tuple[str, str]] = (),
) -> AttributeChange | None:
    """Hands a new type to a worker; None when only the form changes, which is done at once.

    Raises `Refused` when a segment or an export would not work with it, or a change goes on. For
    those of the kinds and names in `but` the caller answers, in the same transaction.
    """
    _refuse_problems(attribute, kind, but)
    if kind == attribute.type:
        with transaction.atomic():
            keep_type(attribute, kind, form)
            record_type(attribute, typed(kind, attribute.format), typed(kind, form), by)
        return None
    return _request(
        AttributeChange(attribute=attribute, type=kind, format=form, empties=empties), by
    )


def request_removal(attribute: Attribute, by: User | None) -> AttributeChange:
    """Hands the removal to a worker. Raises `Refused` while something needs the attribute."""
    _refuse_uses(attribute)
    return _request(AttributeChange(attribute=attribute, removes=True), by)


def _request(change: AttributeChange, by: User | None) -> AttributeChange:
    from segments.tasks import change_attribute_task

    attribute = change.attribute
    assert attribute is not None  # noqa: S101 - who asks names one
    change.workspace_id, change.name, change.started_by = (
        attribute.workspace_id,
        attribute.label,
        by,
    )
    try:
        with transaction.atomic():
            change.save()
            after_commit(lambda: change_attribute_task.delay(change.workspace_id, change.pk))
    except IntegrityError as conflict:
        raise Refused(
            _("“%(name)s” is being changed already. Wait until that has ended.")
            % {"name": attribute.label}
        ) from conflict
    return change


def keep_type(attribute: Attribute, kind: str, form: str) -> None:
    """The attribute's type from now on; its values are the caller's to convert."""
    Attribute.objects.filter(pk=attribute.pk).update(type=kind, format=form)
    tell_imports(attribute, type=kind, format=form)


def tell_imports(attribute: Attribute, **changes: object) -> None:
    """Changes what the imports that have not ended, and queries, make of the attribute's column."""
    told: list[Import | SqlQuery] = [*imports_of(attribute), *SqlQuery.objects.all()]
    for kept in told:
        kept.columns = [
            {**one, **changes} if one["attribute"] == attribute.name else one
            for one in kept.columns
        ]
        kept.save(update_fields=["columns"])


def imports_of(attribute: Attribute) -> list[Import]:
    """The imports that have not ended and fill the attribute."""
    return [
        load
        for load in Import.objects.filter(state__in=UNFINISHED_IMPORTS)
        if any(one["attribute"] == attribute.name and one["keep"] for one in load.columns)
    ]


def record_type(
    attribute: Attribute, was: str, becomes: str, by: User | None, **details: Any
) -> None:
    audit.record(
        attribute.workspace,
        "attribute.changed",
        actor=by,
        target=attribute,
        was=was,
        becomes=becomes,
        **details,
    )


def _refuse_problems(attribute: Attribute, kind: str, but: Collection[tuple[str, str]]) -> None:
    problems = attribute_uses.problems_with(attribute, kind, but=but)
    if problems:
        raise Refused(
            _("As %(type)s it would not work any more in %(names)s. Change them first.")
            % {
                "type": str(AttributeType(kind).label).lower(),
                "names": ", ".join(f"“{use.label}” ({why})" for use, why in problems),
            }
        )


def _refuse_uses(attribute: Attribute) -> None:
    names = [use.label for use in attribute_uses.of(attribute)]
    if names:
        raise Refused(
            _("The attribute is used by %(names)s. Take it out there first.")
            % {"names": ", ".join(f"“{name}”" for name in names)}
        )
