"""Types that the document tells once and refers to: values of which there are many."""

from typing import Annotated, Any

from pydantic import StringConstraints, WithJsonSchema

from workspaces import time_zones
from workspaces.notices import topics

# Where the document has this, it refers to the component of the name instead.
MARK = "x-component"

TimeZone = Annotated[
    str, StringConstraints(max_length=60), WithJsonSchema({"type": "string", MARK: "TimeZone"})
]
TimeZoneAsBefore = Annotated[
    str,
    StringConstraints(max_length=60),
    WithJsonSchema({"anyOf": [{"type": "string", MARK: "TimeZone"}, {"const": ""}]}),
]
EventKind = Annotated[
    str, StringConstraints(max_length=60), WithJsonSchema({"type": "string", MARK: "EventKind"})
]
Email = Annotated[
    str,
    StringConstraints(max_length=254),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": 254}),
]


def components() -> dict[str, Any]:
    zones = [name for _region, found in time_zones.choices() for name, _label in found]
    kinds = [kind.name for kind in (*topics.notice_kinds(), *topics.event_kinds())]
    return {
        "TimeZone": {
            "title": "TimeZone",
            "type": "string",
            "description": "A name of the IANA’s.",
            "enum": zones,
        },
        "EventKind": {"title": "EventKind", "type": "string", "enum": kinds},
    }


def refer(schema: Any) -> None:
    """Puts references where the marks are, anywhere in the document."""
    if isinstance(schema, list):
        for one in schema:
            refer(one)
    elif isinstance(schema, dict):
        if name := schema.pop(MARK, None):
            schema.pop("type")
            schema.pop("maxLength", None)
            schema["$ref"] = f"#/components/schemas/{name}"
        for one in schema.values():
            refer(one)
