"""Custom fields of contacts."""

import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.access import account_of, ensure_json, id_in_path
from sandbox.answers import instant, json_answer
from sandbox.bodies import body_of
from sandbox.errors import conflict, invalid, not_found
from sandbox.paging import limit_in, page, query_of
from sandbox.state import Account

MAX_FIELDS = 100
MAX_LABEL = 50
MAX_CHOICES = 100
MAX_CHOICE_LABEL = 255
SELECTS = {"single_select", "multi_select"}
TYPES = {"string", "date", "datetime", "number", "boolean", "currency", "text_area", *SELECTS}


async def custom_fields(request: Request) -> Response:
    account = account_of(request, "contact_data", "contacts:read")
    query = query_of(request)
    found = list(account.custom_fields.values())
    shown, following = page("/contact_custom_fields", query, found, limit_in(query, 100))
    return json_answer({"custom_fields": shown, **following})


async def make_custom_field(request: Request) -> Response:
    account = account_of(request, "contact_data", "contacts:write")
    ensure_json(request)
    body = await body_of(request)
    label = body.get("label")
    if not isinstance(label, str) or not label.strip() or len(label) > MAX_LABEL:
        raise invalid(f"label is missing or longer than {MAX_LABEL} characters")
    if body.get("type") not in TYPES:
        raise invalid("type does not have a valid value")
    name = label.strip().replace(" ", "_")
    if any(_same(known, label, name) for known in account.custom_fields.values()):
        raise conflict("Validation failed: label is not unique")
    if len(account.custom_fields) >= MAX_FIELDS:
        raise invalid(f"The account has {MAX_FIELDS} custom fields already")
    state = request.app.state.sandbox
    made: dict[str, Any] = {
        "custom_field_id": str(uuid.uuid4()),
        "label": label,
        "name": name,
        "type": body["type"],
        "version": 2,
        "created_at": instant(state.now()),
        "updated_at": instant(state.now()),
    }
    if body["type"] in SELECTS:
        made["choices"] = _choices(body.get("choices"))
    if isinstance(body.get("metadata"), dict):
        made["metadata"] = body["metadata"]
    account.custom_fields[made["custom_field_id"]] = made
    state.touch()
    return json_answer(made, 201)


def _same(known: dict[str, Any], label: str, name: str) -> bool:
    return bool(known["label"].lower() == label.lower() or known["name"].lower() == name.lower())


def _choices(asked: Any) -> list[dict[str, Any]]:
    if not isinstance(asked, list) or not 1 <= len(asked) <= MAX_CHOICES:
        raise invalid(f"choices must hold 1 to {MAX_CHOICES} choices")
    labels = [one.get("choice_label") if isinstance(one, dict) else None for one in asked]
    if not all(isinstance(one, str) and 1 <= len(one) <= MAX_CHOICE_LABEL for one in labels):
        raise invalid("choice_label is missing or too long")
    return [
        {"choice_id": number, "choice_label": label, "display_order": number}
        for number, label in enumerate(labels, 1)
    ]


async def one_custom_field(request: Request) -> Response:
    account = account_of(request, "contact_data", "contacts:read")
    return json_answer(_known(request, account))


async def delete_custom_field(request: Request) -> Response:
    account = account_of(request, "contact_data", "contacts:write")
    known = _known(request, account)
    del account.custom_fields[known["custom_field_id"]]
    account.people.forget(f"cf:{known['name']}")
    request.app.state.sandbox.touch()
    return Response(status_code=204)


def _known(request: Request, account: Account) -> dict[str, Any]:
    known = account.custom_fields.get(id_in_path(request, "custom_field_id"))
    if known is None:
        raise not_found("The custom field does not exist.")
    return known


routes = [
    Route("/contact_custom_fields", custom_fields, methods=["GET"]),
    Route("/contact_custom_fields", make_custom_field, methods=["POST"]),
    Route("/contact_custom_fields/{custom_field_id}", one_custom_field, methods=["GET"]),
    Route("/contact_custom_fields/{custom_field_id}", delete_custom_field, methods=["DELETE"]),
]
