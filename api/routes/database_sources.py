"""Sources of databases: where one is, what it is asked, and when."""

from datetime import datetime
from typing import Any, Literal

from django.shortcuts import get_object_or_404
from ninja import Field, Router, Schema, Status

from api.checked import invalid, posted, require_valid
from api.choices import OwnSchedule
from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs, once
from api.routes.loads import LoadOut
from api.schemas import Body, ClockOut, Name, Page, Text
from api.timing import TimingIn
from segments import sources, sql_sources
from segments.databases.problems import DatabaseProblem
from segments.databases.target import Table
from segments.models import Import, SqlQuery
from segments.sql_forms import ConnectionForm, QueryForm

router = Router()


class DatabaseIn(Body):
    """Where a database is, and who reads from it."""

    kind: Text = Field(examples=["postgresql"])
    host: Text = Field("", examples=["db.example.com"])
    port: int | None = Field(None, ge=1, le=65535, examples=[5432])
    database: Text = Field("", examples=["shop"])
    file: Text = Field("", description="Of a kind that is a file: its name in the server’s folder.")
    username: Text = Field("", examples=["reader"])
    password: Text = Field(
        "",
        description="Kept encrypted, never shown. Empty: as it was, for the same server and user.",
        examples=["…"],
    )
    encryption: Literal["require", "verify", "off"] | None = Field(None, examples=["require"])
    options: dict[str, Text] = Field({}, description="What the kind asks for besides.")

    def form(self, *, name: str = "", query: SqlQuery | None = None) -> ConnectionForm:
        """The screen’s form, valid. Raises `Problem`."""
        entered = self.model_dump(
            include={"kind", "host", "port", "database", "file", "username", "password"}
        )
        options = {f"{self.kind}_{option}": value for option, value in self.options.items()}
        encryption = self.encryption or "require"
        form = ConnectionForm(
            posted(name=name, encryption=encryption, **entered, **options), query=query
        )
        require_valid(form)
        return form


class QueryIn(Body):
    """What a database is asked: all of a table, or one SELECT."""

    table: Text = Field(
        "", description="A table or view, as `schema.name`.", examples=["crm.customers"]
    )
    statement: Text = Field("", description="A SELECT, instead of a table.")


class NewDatabase(DatabaseIn, QueryIn):
    """Where a database is and what it is asked: all of a table, or one SELECT."""

    name: Name = Field(examples=["Warehouse customers"])


class DatabaseOut(Schema):
    source_id: int = Field(examples=[3])
    kind: str = Field(examples=["postgresql"])
    host: str = Field(examples=["db.example.com"])
    port: int = Field(description="0: none.", examples=[5432])
    database: str = Field(description="Or the file’s name.", examples=["shop"])
    username: str = Field(examples=["reader"])
    encryption: str = Field(examples=["require"])
    options: dict[str, str] = Field(examples=[{}])
    table: str = Field(examples=["crm.customers"])
    statement: str = Field(examples=[""])
    schedule: OwnSchedule = Field(examples=["refresh"])
    days: list[int] = Field(examples=[[]])
    times: list[ClockOut] = Field(examples=[[]])
    time_zone: str = Field(examples=["Europe/Madrid"])
    next_run_at: datetime | None

    @staticmethod
    def resolve_table(query: SqlQuery) -> str:
        return query.table.label if query.table else ""


class TableOut(Schema):
    name: str = Field(description="As `table` of a query.", examples=["crm.customers"])


class RowsOut(Schema):
    columns: list[str] = Field(examples=[["CustomerId", "EMail"]])
    rows: list[list[str]] = Field(examples=[[["C-1815", "ada@example.com"]]])


@router.get("/sources/{int:source_id}/database", response=DatabaseOut, summary="Get a database")
@needs(Scope.READ, rule="source.change")
def get_database(request: ApiRequest, source_id: int) -> SqlQuery:
    """Where the source’s database is, what it is asked and when; nothing secret."""
    return _query_of(source_id)


@router.put("/sources/{int:source_id}/database", response=DatabaseOut, summary="Change a database")
@needs(Scope.WRITE, rule="source.change")
def change_database(request: ApiRequest, source_id: int, body: DatabaseIn) -> SqlQuery:
    """Reads from there from now on, once it was reached; what it is asked stays."""
    query = _query_of(source_id)
    form = body.form(query=query)
    try:
        sql_sources.change_connection(query, form.target(request.workspace.slug), by=request.actor)
    except DatabaseProblem as problem:
        form.tell(problem)
        raise invalid(form) from problem
    return _query_of(source_id)


@router.get("/sources/{int:source_id}/tables", response=Page[TableOut], summary="List tables")
@needs(Scope.READ, rule="source.change")
def list_tables(request: ApiRequest, source_id: int) -> dict[str, Any]:
    """The tables and views of the source’s database that its user may read."""
    found = [{"name": one.label} for one in sql_sources.tables(_query_of(source_id))]
    return {"items": found, "next": None}


@router.post(
    "/sources/{int:source_id}/query/preview", response=RowsOut, summary="Preview a database’s rows"
)
@needs(Scope.PEOPLE, rule="source.change")
def preview_query(request: ApiRequest, source_id: int, body: QueryIn) -> dict[str, Any]:
    """The first rows of a table or a SELECT; nothing is kept."""
    query = _query_of(source_id)
    columns, rows = sql_sources.preview(query, *_asked(query, body))
    return {"columns": columns, "rows": rows}


@router.put(
    "/sources/{int:source_id}/query", response={201: LoadOut}, summary="Ask a database otherwise"
)
@needs(Scope.WRITE, rule="source.change")
def change_query(request: ApiRequest, source_id: int, body: QueryIn) -> Any:
    """Asks for some rows: a draft load, whose columns to go over before it is started."""
    return Status(201, _ask(request, _query_of(source_id), body))


@router.put(
    "/sources/{int:source_id}/schedule", response=DatabaseOut, summary="Schedule a database source"
)
@needs(Scope.WRITE, rule="source.change")
def schedule_database(request: ApiRequest, source_id: int, body: TimingIn) -> SqlQuery:
    """When the source is loaded by itself from now on."""
    query = _query_of(source_id)
    sql_sources.reschedule(query, timing=body.over(query), by=request.actor)
    return _query_of(source_id)


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
def create_database_source(request: ApiRequest, body: NewDatabase) -> Any:
    """Connects a database and asks it for some rows: a draft load, whose columns to go over.

    The source is finished when that load is started.
    """
    form = body.form(name=body.name)
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


def _ask(request: ApiRequest, query: SqlQuery, body: QueryIn) -> Import:
    return sql_sources.ask(query, *_asked(query, body), by=request.actor)


def _asked(query: SqlQuery, body: QueryIn) -> tuple[Table | None, str]:
    """What the screen’s form makes of it. Raises `Problem`."""
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
    return form.asked


def _query_of(source_id: int) -> SqlQuery:
    found = SqlQuery.objects.select_related("source__workspace")
    return get_object_or_404(found, source_id=source_id)
