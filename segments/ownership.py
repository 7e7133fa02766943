"""Which source fills which attribute: one each, and none is taken from another unasked."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from django.db import transaction

from segments.columns import Column
from segments.models import Attribute, Import, Source
from workspaces import audit
from workspaces.models import User
from workspaces.sentences import Sentence
from workspaces.sentences import gettext as _


def filled_by_others(source: Source, columns: Sequence[Column]) -> dict[str, Attribute]:
    """The attributes, by name, that the columns would fill and that other sources do fill."""
    names = [column.attribute for column in columns]
    others = Attribute.objects.filter(name__in=names, source__isnull=False)
    return {one.name: one for one in others.exclude(source=source).select_related("source")}


def objection(
    source: Source, columns: Sequence[Column], taken_over: Collection[str]
) -> Sentence | None:
    """Why the columns can't fill what they would fill, and what to do; None if they can."""
    kept = [column for column in columns if column.keep]
    for name, attribute in filled_by_others(source, kept).items():
        if name not in taken_over and attribute.source:
            return _(
                "“%(name)s” is filled by the source “%(source)s”. Take it over, keep the column"
                " apart under a name of its own, or drop it."
            ) % {"name": attribute.label, "source": attribute.source.name}
    return None


def renamed(column: Column, label: str) -> Column:
    """The column feeding an attribute of its own, called as the label says."""
    return replace(column, attribute=label.strip()[:255], label=label)


def as_before(source: Source, columns: Sequence[Column]) -> list[Column]:
    """Columns that were kept apart under other names keep them; those that were left out, or whose
    attribute is gone, or never was there, are left out.
    """
    kept = {one["column"]: one for one in kept_columns(source)}
    there = set(Attribute.objects.values_list("name", flat=True))
    found = []
    for column in columns:
        before = kept.get(column.column)
        if before is not None:
            keep = before["keep"] and before["attribute"] in there
            column = replace(column, attribute=before["attribute"], keep=keep)
        found.append(column)
    return found


def kept_columns(source: Source) -> list[dict[str, Any]]:
    """What was last done with each column of a source of files."""
    if source.columns:
        return source.columns
    done = source.imports.filter(state=Import.State.SUCCEEDED).order_by("-created_at").first()
    return done.columns if done else []


def keep_attributes(load: Import, columns: Sequence[Column]) -> list[str]:
    """Makes or updates the attributes that the columns fill; returns their names."""
    kept = [column for column in columns if column.keep]
    for position, column in enumerate(kept):
        Attribute.objects.update_or_create(
            workspace_id=load.workspace_id,
            name=column.attribute,
            defaults={
                "label": column.label,
                "type": column.type,
                "format": column.format,
                "source": load.source,
                "position": position,
            },
        )
    told = [{"column": one.column, "attribute": one.attribute, "keep": one.keep} for one in columns]
    Source.objects.filter(pk=load.source_id).update(columns=told)
    return [column.attribute for column in kept]


def assign(attribute: Attribute, source: Source | None, by: User | None) -> None:
    """From now on the attribute is the source's to fill; what it holds stays."""
    was = attribute.source
    if was == source:
        return
    attribute.source = source
    with transaction.atomic():
        attribute.save(update_fields=["source"])
        audit.record(
            attribute.workspace,
            "attribute.source_changed",
            actor=by,
            target=attribute,
            was=str(was or ""),
            becomes=str(source or ""),
        )
