"""Sources: those of files whole; of those of databases, what both kinds have."""

from datetime import datetime
from typing import Any, Literal

from django.db.models import Exists, OuterRef, QuerySet
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema, Status

from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs, once, takes_file
from api.problems import Problem
from api.routes.loads import FileChoice, LoadOut, take_in
from api.schemas import Body, Name, Page, Paging, Text, page
from segments import sources, sql_loads
from segments.models import Source, SqlQuery

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
