"""Files to import, and importing them in this process."""

from collections.abc import Sequence
from typing import Any

from segments import drafts, imports, sources
from segments.columns import Column
from segments.models import Import, Profile, Source


def import_bytes(
    workspace: Any,
    content: bytes,
    *,
    key: str = "id",
    source: Source | None = None,
    skip_refused: bool = False,
    types: dict[str, str] | None = None,
    drop: Sequence[str] = (),
    **choice: Any,
) -> Import:
    """Imports the content as a person would who accepts what is proposed, but for what is given."""
    source = source or sources.create_source(workspace, f"source {Source.objects.count() + 1}")
    load = drafts.take_file(source, "customers.csv", [content])
    columns = [
        Column(
            **{
                **column.as_json(),
                "type": (types or {}).get(column.column, column.type),
                "keep": column.column not in drop,
            }
        )
        for column in drafts.chosen_columns(load)
    ]
    drafts.prepare(load, key=key, columns=columns, skip_refused=skip_refused, by=None, **choice)
    imports.run_import(load)
    load.refresh_from_db()
    return load


def counts(load: Import) -> dict[str, int]:
    """The import's counts that are not nought, after checking that they add up."""
    names = ("added", "changed", "unchanged", "superseded", "refused")
    found = {name: getattr(load, name) for name in names}
    if load.state == Import.State.SUCCEEDED:
        assert load.read == sum(found.values()), "the counts do not add up"
    return {name: count for name, count in found.items() if count}


def values(key: str) -> dict[str, Any]:
    return dict(Profile.objects.get(key=key).attributes)
