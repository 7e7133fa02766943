"""Sources, as a file says them. No database is asked, and no password comes from a file."""

from typing import Any

from exports.config_files import current, parts
from exports.config_files.document import Database, Document, Problem
from exports.config_files.document import Source as Said
from exports.config_files.yaml_text import Path
from segments import ownership, sources, sql_loads, sql_sources
from segments.columns import Column
from segments.databases.problems import DatabaseProblem
from segments.databases.target import Table
from segments.models import Attribute, Source, SqlQuery
from segments.sql_forms import ConnectionForm
from workspaces.models import User, Workspace
from workspaces.posted import posted


def make(workspace: Workspace, wanted: Document, before: Document, by: User | None) -> None:
    """Those that are missing, without what they fill. Raises `Problem`."""
    for name in (wanted.sources or {}).keys() - (before.sources or {}).keys():
        try:
            sources.create_source(workspace, name, by=by)
        except sources.Refused as refusal:
            raise Problem(("sources", name), refusal) from refusal


def apply(workspace: Workspace, wanted: Document, before: Document, by: User | None) -> None:
    """What they fill and how; the attributes are there. Raises `Problem`."""
    said = wanted.sources or {}
    _assign(said, by)
    for name, one in said.items():
        if one == (before.sources or {}).get(name):
            continue
        kept = Source.objects.select_related("workspace").get(name=name)
        with parts.unless_as_it_was(lambda kept=kept: _look(kept)):  # type: ignore[misc]
            _change(kept, one, ("sources", name), by)


def _look(kept: Source) -> Any:
    kept = Source.objects.get(pk=kept.pk)
    return current.source(kept), list(current.source(kept).columns)


def _assign(said: dict[str, Said], by: User | None) -> None:
    """Gives each attribute to the source whose column fills it."""
    there = {one.name: one for one in Attribute.objects.select_related("workspace", "source")}
    owners = {one.name: one for one in Source.objects.all()}
    filled: dict[str, tuple[str, str]] = {}
    for name, source in said.items():
        for column, attribute in source.columns.items():
            path: Path = ("sources", name, "columns", column)
            if attribute is None:
                continue
            if attribute not in there:
                raise Problem(
                    path,
                    f"There is no attribute “{attribute[:100]}”. Add it to the file’s attributes,"
                    " or mend the name.",
                )
            if attribute in filled:
                raise Problem(
                    path,
                    f"“{attribute[:100]}” is filled by the column “{filled[attribute][1][:100]}” of"
                    f" “{filled[attribute][0]}” already. Leave one of the two out with null.",
                )
            filled[attribute] = (name, column)
    for kept in there.values():
        if kept.name in filled:
            ownership.assign(kept, owners[filled[kept.name][0]], by)
        elif kept.source and kept.source.name in said:
            ownership.assign(kept, None, by)


def _change(kept: Source, said: Said, path: Path, by: User | None) -> None:
    sources.change_mode(kept, said.mode, by)
    query = sql_loads.query_of(kept)
    if said.database is None:
        if query is not None:
            raise Problem(path, "It reads a database. Say which, or give it another name.")
        told = [
            {"column": column, "attribute": attribute or column, "keep": attribute is not None}
            for column, attribute in said.columns.items()
        ]
        sources.keep_columns(kept, said.key, told, by)
        return
    if query is None and kept.imports.exists():
        raise Problem((*path, "database"), "It is a source of files. Give it another name.")
    _ask(kept, query, said, (*path, "database"), by)
    sources.keep_columns(kept, said.key, [], by)


def _ask(kept: Source, query: SqlQuery | None, said: Said, path: Path, by: User | None) -> None:
    database = said.database
    assert database is not None  # noqa: S101 - asked before
    form = _form(database)
    options = {f"{database.kind}_{name}": ("options", name) for name in database.options}
    parts.require_valid(form, path, {"file": ("database",), **options})
    try:
        query = sql_sources.declare(
            kept,
            form.target(kept.workspace.slug),
            table=Table(database.table_schema, database.table) if database.table else None,
            statement=database.statement,
            columns=_columns(said.columns),
            skip_refused=database.skip_refused,
            by=by,
        )
    except DatabaseProblem as problem:
        raise Problem(path, problem) from problem
    timing = parts.timing_of(database.schedule, query, (*path, "schedule"))
    sql_sources.reschedule(query, timing=timing, by=by)


def _form(said: Database) -> ConnectionForm:
    """The screen's form, filled in."""
    return ConnectionForm(
        posted(
            kind=said.kind,
            host=said.host,
            port=said.port or None,
            database=said.database,
            file=said.database,
            username=said.username,
            encryption=said.encryption,
            **{f"{said.kind}_{name}": value for name, value in said.options.items()},
        ),
        query=SqlQuery(),
    )


def _columns(said: dict[str, str | None]) -> list[Column]:
    there = {one.name: one for one in Attribute.objects.all()}
    found = []
    for column, name in said.items():
        if name is None:
            found.append(Column(column, column, column, "text", keep=False))
        else:
            one = there[name]
            found.append(Column(column, name, one.label, one.type, True, one.format))
    return found
