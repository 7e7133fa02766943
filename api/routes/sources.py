"""Sources: of files and of databases."""

from datetime import datetime
from typing import Any, Literal

from django.db.models import Exists, OuterRef, QuerySet
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema, Status

from api.checked import invalid, posted, require_valid
from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs, once, takes_file
from api.problems import Problem
from api.routes.loads import FileChoice, LoadOut, take_in
from api.schemas import Body, Name, Page, Paging, Text, page
from segments import sources, sql_loads, sql_sources
from segments.databases.problems import DatabaseProblem
from segments.models import Import, Source, SqlQuery
from segments.sql_forms import ConnectionForm, QueryForm

router = Router()
Mode = Literal["update", "replace"]


class SourceOut(Schema):
    id: int = Field(examples=[3])
    name: str = Field(examples=["Web shop"])
    kind: Literal["file", "database"] = Field(examples=["file"])
    key_column: str = Field(
        description="The column that tells customers apart; empty before the first load.",
        examples=["CustomerId"],
    )
    mode: Mode = Field(
        description="Whether customers who are gone from it stay (`update`) or go (`replace`).",
        examples=["update"],
    )
    created_at: datetime

    @staticmethod
    def resolve_kind(source: Source) -> str:
        return "database" if getattr(source, "has_query", False) else "file"


class SourceChange(Body):
    mode: Mode = Field(examples=["replace"])


class NewSource(FileChoice):
    name: Name = Field(description="The new source’s name.", examples=["Web shop"])


class DatabaseIn(Body):
    """Where a database is and what it is asked: all of a table, or one SELECT."""

    name: Name = Field(examples=["Warehouse customers"])
    kind: Text = Field(examples=["postgresql"])
    host: Text = Field("", examples=["db.example.com"])
    port: int | None = Field(None, ge=1, le=65535, examples=[5432])
    database: Text = Field("", examples=["shop"])
    file: Text = Field("", description="Of a kind that is a file: its name in the server’s folder.")
    username: Text = Field("", examples=["reader"])
    password: Text = Field("", description="Kept encrypted, never shown.", examples=["…"])
    encryption: Literal["require", "verify", "off"] | None = Field(None, examples=["require"])
    options: dict[str, Text] = Field({}, description="What the kind asks for besides.")
    table: Text = Field(
        "", description="A table or view, as `schema.name`.", examples=["crm.customers"]
    )
    statement: Text = Field("", description="A SELECT, instead of a table.")


class SourceFilter(Paging):
    q: Text = Field("", description="Part of the name.", examples=[""])


def _sources() -> QuerySet[Source]:
    queries = SqlQuery.objects.filter(source_id=OuterRef("pk"))
    return Source.objects.select_related("workspace").annotate(has_query=Exists(queries))


def _source(pk: int) -> Source:
    return get_object_or_404(_sources(), pk=pk)


@router.get("/sources", response=Page[SourceOut], summary="List sources")
@needs(Scope.READ, Scope.IMPORT, rule="source.view")
def list_sources(request: ApiRequest, asked: Query[SourceFilter]) -> dict[str, Any]:
    """Where the workspace’s profiles come from, in the order in which they were made."""
    found = _sources()
    if asked.q:
        found = found.filter(name__icontains=asked.q)
    return page(found, asked)


@router.get("/sources/{int:source_id}", response=SourceOut, summary="Get a source")
@needs(Scope.READ, Scope.IMPORT, rule="source.view")
def get_source(request: ApiRequest, source_id: int) -> Source:
    """One source. Its loads are listed under `/loads?source=`."""
    return _source(source_id)


@router.post("/sources", response={202: LoadOut}, summary="Create a source from a file")
@needs(Scope.IMPORT, rule="source.change")
@takes_file
@once
def create_source(request: ApiRequest, asked: Query[NewSource]) -> Any:
    """Makes a source of the file in the body, and begins to import it.

    The body is the file itself: CSV, TSV, JSON Lines, Parquet or Excel, packed or not. It is
    streamed to disk, so its size is only bounded by the server’s limit (5 GB unless set otherwise).
    With `draft` the columns can be gone over before the load is started.
    """
    source = sources.create_source(request.workspace, asked.name.strip(), by=request.actor)
    try:
        return Status(202, take_in(request, source, asked))
    except Exception:
        sources.remove_source(source, by=request.actor)
        raise


@router.post(
    "/sources/{int:source_id}/loads", response={202: LoadOut}, summary="Load a file into a source"
)
@needs(Scope.IMPORT, rule="source.change")
@takes_file
@once
def load_file(request: ApiRequest, source_id: int, asked: Query[FileChoice]) -> Any:
    """Imports the file in the body into a source of files, as the last one was imported.

    Profiles are matched by the key; what is new, changed and unchanged is counted in the load.
    """
    source = _source(source_id)
    if sql_loads.query_of(source) is not None:
        raise Problem("refused", "This source reads a database. Load it without a file.")
    return Status(202, take_in(request, source, asked))


@router.post(
    "/sources/{int:source_id}/load", response={202: LoadOut}, summary="Load a database source"
)
@needs(Scope.IMPORT, rule="source.change")
@once
def load_database(request: ApiRequest, source_id: int) -> Any:
    """Asks the source’s database now, as its schedule or a refresh would."""
    load = sql_sources.begin_load(
        _query_of(source_id), trigger=Import.Trigger.MEMBER, by=request.actor
    )
    return Status(202, load)


@router.post(
    "/sources/database", response={201: LoadOut}, summary="Create a source from a database"
)
@needs(Scope.WRITE, rule="source.change")
def create_database_source(request: ApiRequest, body: DatabaseIn) -> Any:
    """Connects a database and asks it for some rows: a draft load, whose columns to go over.

    The source is finished when that load is started.
    """
    form = ConnectionForm(
        posted(
            **body.model_dump(
                include={"name", "kind", "host", "port", "database", "file", "username", "password"}
            ),
            encryption=body.encryption or "require",
            **{f"{body.kind}_{name}": value for name, value in body.options.items()},
        )
    )
    require_valid(form)
    try:
        query = sql_sources.create(
            request.workspace,
            form.cleaned_data["name"],
            form.target(request.workspace.slug),
            by=request.actor,
        )
    except DatabaseProblem as problem:
        form.tell(problem)
        raise invalid(form) from problem
    try:
        return Status(201, _ask(request, query, body))
    except Exception:
        sources.remove_source(query.source, by=request.actor)
        raise


def _ask(request: ApiRequest, query: SqlQuery, body: DatabaseIn) -> Import:
    form = QueryForm(
        posted(
            what="query" if body.statement else "table",
            table=body.table,
            statement=body.statement,
        ),
        query=query,
        tables=[] if body.statement else sql_sources.tables(query),
    )
    require_valid(form)
    return sql_sources.ask(query, *form.asked, by=request.actor)


@router.patch("/sources/{int:source_id}", response=SourceOut, summary="Change a source")
@needs(Scope.WRITE, rule="source.change")
def change_source(request: ApiRequest, source_id: int, body: SourceChange) -> Source:
    """What becomes of customers who are gone from the source, from its next load on."""
    source = _source(source_id)
    sources.change_mode(source, body.mode, by=request.actor)
    return source


@router.delete("/sources/{int:source_id}", response={204: None}, summary="Remove a source")
@needs(Scope.WRITE, rule="source.change")
def remove_source(request: ApiRequest, source_id: int) -> Any:
    """Removes the source with its files and history. Its profiles stay."""
    sources.remove_source(_source(source_id), by=request.actor)
    return Status(204, None)


def _query_of(source_id: int) -> SqlQuery:
    found = SqlQuery.objects.select_related("source__workspace")
    return get_object_or_404(found, source_id=source_id)
