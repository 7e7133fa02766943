"""The OpenAPI document: what ninja tells, completed by what all operations have in common."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from django.utils import translation

from api import components as named
from api.models import Scope
from api.problems import CODES, CONTENT_TYPE
from api.service import api

PREFIX = "/api/v1"
METHODS = ("get", "post", "put", "patch", "delete")
DESCRIPTION = """\
Everything that Segue’s screens do, for programs: sources, segments, exports and their runs.

Send `Authorization: Bearer TOKEN` with a token of Admin > API. Everything is of the token’s
workspace. Lists come in pages: pass `next` as `after`. Errors are `application/problem+json` with a
stable `code`. What starts something takes an `Idempotency-Key`, and does it once for 24 hours.
Answers to GET have an `ETag`; send it in `If-None-Match` and, to change something, in `If-Match`.
"""
HEADERS = {
    "RateLimit-Limit": "Requests a minute.",
    "RateLimit-Remaining": "How many of them are left.",
    "RateLimit-Reset": "Seconds until they are all there again.",
}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "1 to 255 printable characters, new for each new request. The same key gets the"
    " same answer for 24 hours, and nothing is done twice.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    "example": "2026-11-25-nightly",
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag that it was read with: 412 if it has changed since.",
    "schema": {"type": "string", "pattern": '^"[0-9a-f.]+"$'},
    "example": '"65f0c3.9a0b"',
}
PROBLEM = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string", "description": "`urn:segue:problem:` and the code."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "enum": sorted(CODES)},
        "detail": {"type": "string", "description": "What is wrong here, and what to do."},
        "errors": {
            "type": "array",
            "description": "Each thing that is wrong, with a pointer to where.",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
FILE = {
    "required": True,
    "description": "The file itself, whole.",
    "content": {
        "application/octet-stream": {
            "schema": {"type": "string", "format": "binary"},
            "example": "CustomerId,EMail\nC-1815,ada@example.com\n",
        }
    },
}
STREAMS = {
    "application/jsonl": {
        "schema": {"type": "string", "description": "A JSON object on each line."},
        "example": '{"key": "C-1815"}\n',
    },
    "text/csv": {
        "schema": {"type": "string", "description": "RFC 4180, UTF-8, with a header."},
        "example": "key\r\nC-1815\r\n",
    },
}
BYTES = {"schema": {"type": "string", "format": "binary"}, "example": "…"}
FILES = {
    ".parquet": {"application/vnd.apache.parquet": BYTES},
    "/{archive_id}/file": {"application/zip": BYTES},
}
ALWAYS = (401, 403, 429, 500)


@cache
def document() -> dict[str, Any]:
    """The document, in English whoever asks."""
    with translation.override("en"):
        return _document()


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each path, method and operation of a document."""
    for path, item in schema["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def _document() -> dict[str, Any]:
    schema: dict[str, Any] = dict(api.get_openapi_schema(path_prefix=PREFIX))
    schema["info"]["description"] = DESCRIPTION
    schema["servers"] = [{"url": "/"}]
    components = schema["components"]
    components["schemas"] |= {"Problem": PROBLEM, **named.components()}
    named.refer(schema)
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    schema["security"] = [{"token": []}]
    views = {view.__name__: view for view in _views()}
    for path, _method, operation in operations(schema):
        name = operation["operationId"].removeprefix("api_routes_")
        view = next(v for key, v in views.items() if name.endswith(key) and _is(v, name))
        _complete(operation, path, view, components["schemas"])
    return schema


def _views() -> Iterator[Any]:
    for _prefix, router in api._routers:
        for path_view in router.path_operations.values():
            for operation in path_view.operations:
                yield operation.view_func


def _is(view: Any, name: str) -> bool:
    return bool(name == f"{view.__module__.rpartition('.')[2]}_{view.__name__}")


def _complete(operation: dict[str, Any], path: str, view: Any, schemas: dict[str, Any]) -> None:
    operation["operationId"] = view.__name__
    scopes = view.scopes
    operation["x-scopes"] = scopes
    anyone = len(scopes) == len(Scope)
    needed = "any scope" if anyone else " or ".join(f"`{scope}`" for scope in scopes)
    operation["description"] = f"{operation['description'].strip()}\n\nScope: {needed}."
    parameters = operation.setdefault("parameters", [])
    if getattr(view, "takes_key", False):
        parameters.append(KEY)
    if getattr(view, "checks_version", False):
        parameters.append(IF_MATCH)
    if getattr(view, "takes_file", False):
        operation["requestBody"] = FILE
    for parameter in parameters:
        _describe_parameter(parameter)
    for content in operation.get("requestBody", {}).get("content", {}).values():
        content.setdefault("example", example_of(content["schema"], schemas))
    _complete_answers(operation, path, view, schemas)


def _describe_parameter(parameter: dict[str, Any]) -> None:
    schema = parameter["schema"]
    if parameter["in"] == "path":
        parameter.setdefault("description", "Which one.")
        if schema.get("type") == "integer":
            schema |= {"minimum": 1, "maximum": 2**63 - 1}
    examples = schema.get("examples")
    if examples and "example" not in parameter:
        parameter["example"] = examples[0]


def _complete_answers(
    operation: dict[str, Any], path: str, view: Any, schemas: dict[str, Any]
) -> None:
    answers = operation["responses"]
    if path.endswith(".{form}"):
        answers[200] = {"description": "The rows, streamed.", "content": STREAMS}
    for ending, content in FILES.items():
        if path.endswith(ending):
            answers[200] = {"description": "The file.", "content": content}
    for status, answer in answers.items():
        answer["description"] = {204: "Done."}.get(int(status), answer["description"])
        answer["headers"] = {
            name: {"description": text, "schema": {"type": "integer"}}
            for name, text in HEADERS.items()
        }
        for content in answer.get("content", {}).values():
            if "example" not in content:
                content["example"] = example_of(content["schema"], schemas)
    for status in _errors(operation, path, view):
        answers[status] = {
            "description": ", ".join(
                f"`{code}`" for code, known in CODES.items() if known.status == status
            ),
            "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    operation["responses"] = {str(status): answers[status] for status in sorted(answers, key=int)}


def _errors(operation: dict[str, Any], path: str, view: Any) -> set[int]:
    found = {*ALWAYS, 400, 404, 422}
    is_change = "requestBody" in operation or getattr(view, "takes_key", False)
    if is_change or not any(str(status) == "200" for status in operation["responses"]):
        found |= {409, 413, 415}
    if getattr(view, "takes_file", False):
        found |= {411, 507}
    if getattr(view, "checks_version", False):
        found |= {412}
    return found | {409, 502, 503}


def example_of(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """A value that fits, put together from the examples of its fields."""
    if "$ref" in schema and "examples" not in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if schema.get("examples"):
        return schema["examples"][0]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for name in ("anyOf", "allOf"):
        if name in schema:
            return example_of(schema[name][0], schemas)
    return _of_type(schema, schemas)


def _of_type(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    kind = schema.get("type")
    if kind == "object":
        fields = schema.get("properties", {})
        return {name: example_of(field, schemas) for name, field in fields.items()}
    if kind == "array":
        return [example_of(schema["items"], schemas)]
    if kind == "string":
        is_moment = schema.get("format") == "date-time"
        return "2026-11-25T06:00:12Z" if is_moment else schema.get("default", "")
    return {"boolean": False, "integer": 0, "number": 0.0, "null": None}.get(str(kind))
