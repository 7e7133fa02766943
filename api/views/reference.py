"""The reference: the document as a page, made on the server, for people."""

import json
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from api.document import DESCRIPTION, document, operations
from api.models import Scope
from api.problems import CODES
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires


@require_safe
@requires("token.view")
def reference(request: WorkspaceRequest, slug: str) -> HttpResponse:
    return render(request, "api/reference.html", {"told": told(settings.BASE_URL)})


@cache
def told(base: str) -> SafeString:
    """In English, like the document; the same for everybody as long as the process lives."""
    with translation.override("en"):
        context = {
            "groups": _groups(),
            "introduction": _paragraphs(DESCRIPTION),
            "scopes": Scope.choices,
            "codes": [(code, one, _with_code(str(one.advice))) for code, one in CODES.items()],
            "base": base,
        }
        return render_to_string("api/_reference.html", context)


def _groups() -> list[tuple[str, list[dict[str, Any]]]]:
    """The operations under their tags, in the document's order."""
    found: dict[str, list[dict[str, Any]]] = {}
    schema = document()
    for path, method, operation in operations(schema):
        shown = {
            "id": operation["operationId"],
            "method": method.upper(),
            "path": path,
            "summary": operation["summary"],
            "description": _paragraphs(operation["description"]),
            "parameters": [_parameter(one) for one in operation["parameters"]],
            "body": _examples(operation.get("requestBody", {})),
            "answers": [
                (status, _with_code(answer["description"]), _examples(answer))
                for status, answer in operation["responses"].items()
                if status.startswith("2")
            ],
            "errors": [
                (status, _with_code(answer["description"]))
                for status, answer in operation["responses"].items()
                if not status.startswith("2")
            ],
        }
        found.setdefault(operation["tags"][0], []).append(shown)
    return list(found.items())


def _paragraphs(text: str) -> list[str]:
    return [_with_code(paragraph) for paragraph in text.strip().split("\n\n")]


def _with_code(text: str) -> str:
    """As HTML, with what the document has between backticks as code."""
    parts = enumerate(text.split("`"))
    shown = ((format_html("<code>{}</code>", part) if n % 2 else part,) for n, part in parts)
    return format_html_join("", "{}", shown)


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    schema = parameter["schema"]
    kinds = [schema, *schema.get("anyOf", [])]
    kind = next((one["type"] for one in kinds if "type" in one), "string")
    return {
        "name": parameter["name"],
        "in": parameter["in"],
        "type": kind,
        "description": _with_code(parameter.get("description") or schema.get("description", "")),
        "required": parameter["required"],
        "default": schema.get("default"),
    }


def _examples(part: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (kind, _written(content["example"]))
        for kind, content in part.get("content", {}).items()
        if "example" in content
    ]


def _written(example: Any) -> str:
    return (
        example if isinstance(example, str) else json.dumps(example, indent=2, ensure_ascii=False)
    )
