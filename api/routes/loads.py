"""Loads: files and rows of databases on their way into profiles."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema, Status

from api.checked import require_valid
from api.choices import ImportState, ImportTrigger, SourceMode
from api.middleware import ApiRequest
from api.models import Scope
from api.operations import blocks, needs, once
from api.problems import Problem
from api.schemas import Body, Id, Page, Paging, Text, page
from api.streams import ROWS_AT_ONCE, Form, stream
from segments import drafts, sources, sql_loads, sql_sources
from segments.columns import Column
from segments.conversion import FORMS
from segments.dialect import Dialect
from segments.models import AttributeType, Import, RefusedRow, Source
from segments.reading_forms import NAMES, USUAL, ReadingForm
from segments.reasons import reason_text
from segments.upload_files import clean_name
from workspaces import audit

router = Router()
REFUSED_FIELDS = ("row", "column", "value", "code", "reason")


class ColumnOut(Schema):
    column: str = Field(description="Its heading in the file.", examples=["EMail"])
    attribute: str = Field(description="The attribute it fills.", examples=["EMail"])
    label: str = Field(examples=["E-mail"])
    type: AttributeType = Field(examples=["text"])
    format: str = Field("", description="How a date or a list is written.", examples=[""])
    keep: bool = Field(examples=[True])


class LoadOut(Schema):
    """read = added + changed + unchanged + superseded + refused."""

    id: int = Field(examples=[41])
    source_id: int = Field(examples=[3])
    state: ImportState = Field(examples=["succeeded"])
    reason: str = Field(description="Why it failed, and what to do.", examples=[""])
    stage: str = Field(description="What it is at, while it runs.", examples=[""])
    trigger: ImportTrigger = Field(examples=["member"])
    file_name: str = Field(examples=["customers.csv"])
    file_bytes: int = Field(examples=[1048576])
    key_column: str = Field(examples=["CustomerId"])
    columns: list[ColumnOut]
    mode: SourceMode = Field(examples=["update"])
    skip_refused: bool
    read: int = Field(description="Rows of the file.", examples=[2000])
    added: int = Field(description="New profiles.", examples=[1990])
    changed: int = Field(description="Profiles with another value than before.", examples=[4])
    unchanged: int = Field(description="Profiles as they were.", examples=[0])
    superseded: int = Field(
        description="Rows whose key comes again further down: the last one counts.", examples=[1]
    )
    refused: int = Field(description="Rows that can’t be taken.", examples=[5])
    removed: int = Field(
        description="Profiles that were gone from a source in mode `replace`.", examples=[0]
    )
    removals_asked: int = Field(
        description="So many profiles would go: start it anew with `approve_removals`.",
        examples=[0],
    )
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @staticmethod
    def resolve_reason(load: Import) -> str:
        return str(load.reason)

    @staticmethod
    def resolve_key_column(load: Import) -> str:
        return load.source.key_column


class ColumnChoice(Body):
    """What is different from the proposal, for one column of the file."""

    column: Text = Field(description="Its heading in the file.", examples=["Birthday"])
    label: Text | None = Field(None, min_length=1, max_length=255, examples=["Born on"])
    attribute: Text | None = Field(
        None,
        min_length=1,
        max_length=255,
        description="Another attribute than the one named like the column.",
        examples=["BornOn"],
    )
    type: AttributeType | None = Field(None, examples=["date"])
    format: Text | None = Field(
        None,
        description="Of a date: `%d/%m/%Y` …; of a list: `;`, `|`, `,` or `json`.",
        examples=["%d/%m/%Y"],
    )
    keep: bool = Field(True, examples=[True])


class StartLoad(Body):
    key: Text = Field(
        "",
        description="The column that tells customers apart; empty: as before, or as proposed.",
        examples=["CustomerId"],
    )
    columns: list[ColumnChoice] = Field([], max_length=2_000)
    skip_refused: bool = Field(False, description="Import even if some rows can’t be read.")
    mode: Literal["update", "replace"] | None = None
    approve_removals: int = Field(
        0, ge=0, le=2**53, description="Up to so many profiles may go.", examples=[0]
    )
    take_over: list[Text] = Field(
        [],
        max_length=2_000,
        description="Attributes to fill though another source does.",
        examples=[[]],
    )


class Reading(Schema):
    """How a text file is written; what is left out is found out."""

    separator: Text | None = Field(None, description="Between values.", examples=[";"])
    quote: Literal['"', "'", ""] | None = Field(
        None, description="Around values; empty: none.", examples=['"']
    )
    encoding: Text | None = Field(None, description="`utf-8`, `cp1252` …", examples=["cp1252"])
    skip: int | None = Field(None, description="Lines above the header.", examples=[0])

    def form(self, found: Dialect = USUAL) -> ReadingForm:
        """The screen’s form, valid. Raises `Problem`."""
        form = ReadingForm.of(found, **self.told)
        require_valid(form)
        return form

    @property
    def told(self) -> dict[str, Any]:
        return self.model_dump(include=set(NAMES.values()), exclude_none=True)


class ReadingIn(Reading, Body):
    """How a draft’s file is written; what is left out stays as it was read."""


class FileChoice(Reading):
    """How a file is taken in; the columns are what they are proposed to be."""

    key: Text = Field(
        "",
        description="The column that tells customers apart; empty: as before, or as proposed.",
        examples=["CustomerId"],
    )
    file_name: Text = Field(
        "upload.csv", description="Shown with the load.", examples=["customers.csv"]
    )
    skip_refused: bool = Field(False, description="Import even if some rows can’t be read.")
    mode: Literal["update", "replace"] | None = Field(
        None, description="What becomes of customers who are gone from the source."
    )
    draft: bool = Field(False, description="Don’t begin: leave a draft to look at, and to start.")


class LoadFilter(Paging):
    source: Id | None = Field(None, description="Of this source only.", examples=[3])
    state: ImportState | None = Field(None, description="In this state only.")


def take_in(request: ApiRequest, source: Source, asked: FileChoice) -> Import:
    """The request’s file as a load of the source, begun or left as a draft."""
    load = drafts.take_file(
        source,
        clean_name(asked.file_name),
        blocks(request),
        by=request.actor,
        told=asked.form().part(asked.told),
    )
    if asked.draft:
        return load
    try:
        drafts.queue(
            load,
            by=request.actor,
            key=asked.key or _usual_key(load),
            columns=drafts.chosen_columns(load),
            skip_refused=asked.skip_refused,
            mode=asked.mode,
        )
    except sources.Refused:
        drafts.discard(load)
        raise
    return load


def _usual_key(load: Import) -> str:
    return load.source.key_column or drafts.proposal_of(load).key


def _loads() -> QuerySet[Import]:
    return Import.objects.select_related("source__workspace", "workspace")


@router.get("/loads", response=Page[LoadOut], summary="List loads")
@needs(Scope.READ, Scope.IMPORT, rule="source.view")
def list_loads(request: ApiRequest, asked: Query[LoadFilter]) -> dict[str, Any]:
    """What was loaded, the last first."""
    found = _loads()
    if asked.source is not None:
        found = found.filter(source_id=asked.source)
    if asked.state is not None:
        found = found.filter(state=asked.state)
    return page(found, asked, descending=True)


@router.get("/loads/{int:load_id}", response=LoadOut, summary="Get a load")
@needs(Scope.READ, Scope.IMPORT, rule="source.view")
def get_load(request: ApiRequest, load_id: int) -> Import:
    """One load with its counts. Ask again until its state is `succeeded` or `failed`."""
    return get_object_or_404(_loads(), pk=load_id)


@router.post("/loads/{int:load_id}/start", response={202: LoadOut}, summary="Start a draft")
@needs(Scope.IMPORT, rule="source.change")
@once
def start_load(request: ApiRequest, load_id: int, body: StartLoad) -> Any:
    """Starts a draft, its columns as proposed but for those that the request speaks of."""
    load = get_object_or_404(_loads(), pk=load_id)
    if load.state != Import.State.DRAFT:
        raise Problem("refused", "This load is no draft any more.")
    drafts.queue(
        load,
        by=request.actor,
        key=body.key or _usual_key(load),
        columns=_columns(load, body.columns),
        skip_refused=body.skip_refused,
        mode=body.mode,
        approved_removals=body.approve_removals,
        taken_over=body.take_over,
    )
    return Status(202, load)


def _columns(load: Import, choices: list[ColumnChoice]) -> list[Column]:
    columns = {column.column: column for column in drafts.chosen_columns(load)}
    for choice in choices:
        column = columns.get(choice.column)
        if column is None:
            raise Problem("invalid_request", f"The file has no column “{choice.column[:100]}”.")
        kind = choice.type or AttributeType(column.type)
        form = column.format if choice.format is None else choice.format
        forms = FORMS.get(kind, ("",))
        columns[choice.column] = replace(
            column,
            label=column.label if choice.label is None else choice.label,
            attribute=choice.attribute or column.attribute,
            type=str(kind),
            format=form if form in forms else forms[0],
            keep=choice.keep,
        )
    return list(columns.values())


@router.put("/loads/{int:load_id}/reading", response=LoadOut, summary="Read a draft otherwise")
@needs(Scope.IMPORT, rule="source.change")
def change_reading(request: ApiRequest, load_id: int, body: ReadingIn) -> Import:
    """Reads a draft’s text file as the request says it is written; its columns are told anew."""
    load = get_object_or_404(_loads(), pk=load_id)
    # A load of a database that has not begun has no text yet.
    found = Dialect.from_json(load.dialect) if load.dialect else None
    if found is None or not found.is_text:
        raise Problem("refused", "Only a text file can be read in another way.")
    drafts.read_as_told(load, **body.form(found).told)
    return get_object_or_404(_loads(), pk=load_id)


@router.post("/loads/{int:load_id}/again", response={201: LoadOut}, summary="Load again")
@needs(Scope.IMPORT, rule="source.change")
@once
def load_again(request: ApiRequest, load_id: int) -> Any:
    """A draft of the same file, as long as it is kept, or of the database asked anew."""
    load = get_object_or_404(_loads(), pk=load_id)
    query = sql_loads.query_of(load.source)
    if query is None:
        return Status(201, drafts.import_again(load, by=request.actor))
    draft = sql_sources.ask(query, query.table, query.statement, by=request.actor, failed=load)
    return Status(201, draft)


@router.delete("/loads/{int:load_id}", response={204: None}, summary="Discard a draft")
@needs(Scope.IMPORT, rule="source.change")
def discard_load(request: ApiRequest, load_id: int) -> Any:
    """Forgets a draft with its file."""
    load = get_object_or_404(_loads(), pk=load_id)
    if load.state != Import.State.DRAFT:
        raise Problem("refused", "Only a draft can be discarded.")
    drafts.discard(load)
    return Status(204, None)


@router.get("/loads/{int:load_id}/refused.{form}", summary="Download refused rows")
@needs(Scope.PEOPLE, Scope.IMPORT, rule="source.view")
def stream_refused(request: ApiRequest, load_id: int, form: Form) -> HttpResponseBase:
    """The rows that were not taken, with where and why: JSON Lines (`jsonl`) or `csv`."""
    load = get_object_or_404(_loads(), pk=load_id)
    audit.record(
        load.workspace, "import.refused_downloaded", actor=request.actor, target=load.source
    )
    return stream(
        request.workspace, form, f"refused-rows-{load.pk}", REFUSED_FIELDS, _refused(load)
    )


def _refused(load: Import) -> Iterator[dict[str, Any]]:
    found = RefusedRow.objects.filter(source_import=load).order_by("row_number")
    for row in found.iterator(chunk_size=ROWS_AT_ONCE):
        yield {
            "row": row.row_number or None,
            "column": row.column,
            "value": row.value,
            "code": row.reason,
            "reason": str(reason_text(row.reason)),
        }
