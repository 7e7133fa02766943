"""The OpenAPI document, its page, and docs/api.md."""

import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import translation

from api.document import document, operations
from api.models import Scope
from api.problems import CODES
from tests.workspaces.factories import signed_in
from workspaces.models import Role, Workspace


def test_the_document_needs_no_token(db: None) -> None:
    answer = Client().get("/api/v1/openapi.json")
    assert answer.json()["openapi"] == "3.1.0"
    assert answer.json() == document()
    again = Client().get("/api/v1/openapi.json", headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


def test_every_operation_is_described_with_examples_of_what_it_takes_and_gives() -> None:
    schema = document()
    names = []
    for path, method, operation in operations(schema):
        where = f"{method} {path}"
        names.append(operation["operationId"])
        assert operation["summary"], where
        assert len(operation["description"].split("\n\nScope: ")[0]) > 12, where
        for parameter in operation["parameters"]:
            told = parameter.get("description") or parameter["schema"].get("description")
            assert told, f"{where}: {parameter['name']}"
        bodies: list[Any] = [operation.get("requestBody", {})]
        bodies += [a for s, a in operation["responses"].items() if s.startswith("2")]
        for body in bodies:
            for content in body.get("content", {}).values():
                assert content["example"] not in (None, ""), where
    assert len(names) == len(set(names)) > 60


@pytest.mark.parametrize("role", Role.values)
def test_the_reference_shows_every_operation_to_every_member_without_a_script(
    workspace: Workspace, role: str
) -> None:
    url = reverse("api_pages:reference", args=[workspace.slug])
    page = signed_in(workspace, role).get(url).content.decode()
    for _path, _method, operation in operations(document()):
        assert f'id="{operation["operationId"]}"' in page
    assert not re.search(r'(src|href)="https?://', page)
    assert "<code>Idempotency-Key</code>" in page
    assert "`" not in page
    assert (
        url
        in signed_in(workspace, role)
        .get(reverse("api_pages:token_list", args=[workspace.slug]))
        .content.decode()
    )


def test_docs_name_every_code_and_scope_as_they_are() -> None:
    text = (Path(settings.BASE_DIR) / "docs" / "api.md").read_text()
    with translation.override("en"):
        rows = [
            f"| `{code}` | {known.status} | {known.title}. {known.advice} |"
            for code, known in CODES.items()
        ]
    assert re.findall(r"^\| `\w+` \| \d+ \|.*$", text, re.MULTILINE) == rows
    assert re.findall(r"^\| `(\w+)` \| [a-z]", text, re.MULTILINE) == Scope.values


def test_every_example_fits_its_schema() -> None:
    schema = document()
    tried = 0
    for path, method, operation in operations(schema):
        bodies = [operation.get("requestBody", {})]
        bodies += [a for s, a in operation["responses"].items() if s.startswith("2")]
        for body in bodies:
            content = body.get("content", {}).get("application/json")
            if content is None:
                continue
            whole = {**content["schema"], "components": schema["components"]}
            wrong = list(jsonschema_rs.validator_for(whole).iter_errors(content["example"]))
            assert wrong == [], f"{method} {path}: {wrong[:1]}"
            tried += 1
    assert tried > 60
