"""The configuration that a workspace has, as a file would say it."""

from collections.abc import Iterable, Mapping
from typing import Any

from exports import matching
from exports.config_files import document as doc
from exports.config_files.by_name import named
from exports.models import Destination
from segments import sql_loads, static_segments
from segments.conversion import typed
from segments.models import Attribute, Segment, Source, SqlQuery
from segments.ownership import kept_columns
from workspaces.models import Workspace
from workspaces.services import schedule_of
from workspaces.timing import Timed


def document_of(workspace: Workspace) -> doc.Document:
    names = dict(Segment.objects.values_list("pk", "name"))
    return doc.Document(
        segue=1,
        schedule=schedule(workspace),
        sources={one.name: source(one) for one in _by_name(Source)},
        attributes={one.name: attribute(one) for one in Attribute.objects.all()},
        segments={one.name: segment(one, names) for one in _by_name(Segment)},
        destinations={one.name: destination(one) for one in _by_name(Destination)},
    )


def _by_name(model: Any) -> list[Any]:
    found: Iterable[Any] = model.objects.select_related("workspace")
    return sorted(found, key=lambda one: (one.name.casefold(), one.name))


def schedule(workspace: Workspace) -> doc.Schedule:
    """Times count only where it is not every few hours."""
    kept = schedule_of(workspace)
    return doc.Schedule(
        enabled=kept.enabled,
        days=_days(kept.days),
        times=[] if kept.every_hours else _clocks(kept.times),
        every_hours=kept.every_hours,
        time_zone=kept.time_zone,
    )


def source(kept: Source) -> doc.Source:
    query = sql_loads.query_of(kept)
    return doc.Source(
        key=kept.key_column,
        mode=kept.mode,  # type: ignore[arg-type]
        columns=_columns(kept, query),
        database=_database(query) if query else None,
    )


def _columns(kept: Source, query: SqlQuery | None) -> dict[str, str | None]:
    """With what the source fills although no column is on record for it, and without what another
    source fills by now.
    """
    fills = set(Attribute.objects.filter(source=kept).values_list("name", flat=True))
    found: dict[str, str | None] = {
        one["column"]: one["attribute"] if one["keep"] and one["attribute"] in fills else None
        for one in (query.columns if query else kept_columns(kept))
    }
    found.update({name: name for name in sorted(fills - set(found.values()))})
    return found


def _database(query: SqlQuery) -> doc.Database:
    return doc.Database(
        kind=query.kind,
        host=query.host,
        port=query.port,
        database=query.database,
        username=query.username,
        encryption=query.encryption,  # type: ignore[arg-type]
        options=query.options,
        table_schema=query.table_schema,
        table=query.table_name,
        statement=query.statement,
        skip_refused=query.skip_refused,
        schedule=timing(query),
    )


def attribute(kept: Attribute) -> doc.Attribute:
    _kind, _colon, form = typed(kept.type, kept.format).partition(":")
    label = "" if kept.label == kept.name else kept.label
    return doc.Attribute(type=kept.type, format=form, label=label)  # type: ignore[arg-type]


def segment(kept: Segment, names: Mapping[int, str] | None = None) -> doc.Segment:
    """`names` are those of the workspace's segments, where they are at hand."""
    known = names or dict(Segment.objects.values_list("pk", "name"))
    common: dict[str, Any] = {
        "kind": kept.kind,
        "description": kept.description,
        "tags": kept.tags,
        "state": kept.state,
    }
    if kept.is_static:
        return doc.Segment(**common, listed_by=static_segments.listed_by(kept) or None)
    return doc.Segment(**common, rules=named(kept.rules, known))


def destination(kept: Destination) -> doc.Destination:
    return doc.Destination(
        connection=kept.connection.name if kept.connection else None,
        list=kept.list_name,
        matching=dict(matching.ordered(kept.matching)),
        segments=list(kept.segments.values_list("name", flat=True)),
        mode=kept.mode,  # type: ignore[arg-type]
        removal_share=kept.removal_share,
        schedule=timing(kept),
    )


def timing(thing: Timed) -> doc.Timing:
    runs: Any = thing.schedule
    has_times = bool(thing.days and thing.times)
    if runs == Timed.Schedule.REFRESH or not has_times:
        return doc.Timing(runs=runs)
    return doc.Timing(
        runs=runs, days=_days(thing.days), times=_clocks(thing.times), time_zone=thing.time_zone
    )


def _days(numbers: Iterable[int]) -> list[Any]:
    return [doc.DAYS[number - 1] for number in numbers]


def _clocks(times: Iterable[Any]) -> list[str]:
    return [f"{at:%H:%M}" for at in times]
