"""Sources, attributes, profiles and segments for tests."""

from collections.abc import Mapping
from typing import Any

import factory

from config import cipher
from segments.models import (
    Attribute,
    Import,
    Profile,
    RefusedRow,
    Segment,
    Source,
    SqlQuery,
    Upload,
)
from tests.workspaces.factories import TenantFactory, WorkspaceFactory


class SourceFactory(TenantFactory):
    class Meta:
        model = Source

    workspace = factory.SubFactory(WorkspaceFactory)
    name = factory.Sequence(lambda n: f"Source {n}")
    key_column = "id"


class SqlQueryFactory(TenantFactory):
    """Of a database that nothing can reach."""

    class Meta:
        model = SqlQuery

    source = factory.SubFactory(SourceFactory)
    workspace = factory.SelfAttribute("source.workspace")
    kind = "postgresql"
    host = "127.0.0.1"
    port = 5432
    database = "shop"
    username = "reader"
    password = factory.LazyFunction(lambda: cipher.encrypt("a secret"))


class ImportFactory(TenantFactory):
    class Meta:
        model = Import

    source = factory.SubFactory(SourceFactory)
    workspace = factory.SelfAttribute("source.workspace")
    file_name = "customers.csv"
    file_path = "gone"
    state = "succeeded"


class UploadFactory(TenantFactory):
    """Unfinished: nothing of its thousand bytes has come."""

    class Meta:
        model = Upload

    workspace = factory.SubFactory(WorkspaceFactory)
    file_name = "customers.csv"
    file_bytes = 1000
    fingerprint = "the browser's"


class RefusedRowFactory(TenantFactory):
    class Meta:
        model = RefusedRow

    source_import = factory.SubFactory(ImportFactory)
    workspace = factory.SelfAttribute("source_import.workspace")
    row_number = factory.Sequence(lambda n: n + 1)
    column = "amount"
    value = "many"
    reason = "not_a_number"


class AttributeFactory(TenantFactory):
    class Meta:
        model = Attribute

    workspace = factory.SubFactory(WorkspaceFactory)
    name = "city"
    label = factory.LazyAttribute(lambda one: one.name.title())
    type = "text"


class ProfileFactory(TenantFactory):
    class Meta:
        model = Profile

    workspace = factory.SubFactory(WorkspaceFactory)
    key = factory.Sequence(lambda n: f"{n:06}")
    attributes = factory.LazyFunction(dict)


def rule(attribute: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"attribute": attribute, "operator": operator, "value": value}


def group(*rules: Mapping[str, Any], match: str = "all") -> dict[str, Any]:
    return {"match": match, "rules": list(rules)}


class SegmentFactory(TenantFactory):
    """Never refreshed; its rule finds whoever lives in Paris."""

    class Meta:
        model = Segment

    workspace = factory.SubFactory(WorkspaceFactory)
    name = factory.Sequence(lambda n: f"Segment {n}")
    rules = factory.LazyFunction(lambda: group(rule("city", "is", "Paris")))


def make_customers(workspace: Any) -> None:
    """Attributes city, points and born; six profiles in Paris, six in Rome, points 0 to 11."""
    for position, (name, kind) in enumerate({"city": "text", "points": "number"}.items()):
        AttributeFactory(workspace=workspace, name=name, type=kind, position=position)
    AttributeFactory(workspace=workspace, name="born", type="date", position=2)
    for number in range(12):
        ProfileFactory(
            workspace=workspace,
            key=f"c{number:02}",
            attributes={
                "city": "Paris" if number < 6 else "Rome",
                "points": number,
                "born": f"19{80 + number}-03-01",
            },
        )
