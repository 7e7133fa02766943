"""The API itself: its operations, put together."""

from typing import Any

import orjson
from django.http import HttpRequest
from ninja import NinjaAPI
from ninja.renderers import BaseRenderer
from pydantic import BaseModel

from api import errors
from api.routes import (
    attributes,
    audit,
    connections,
    database_sources,
    destinations,
    endpoints,
    erasures,
    loads,
    members,
    profiles,
    refreshes,
    runs,
    segment_figures,
    segment_tags,
    segments,
    sources,
    static_segments,
    suppressions,
    workspaces,
)


class Renderer(BaseRenderer):
    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> Any:
        return orjson.dumps(data, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    return str(value)


api = NinjaAPI(
    title="Segue",
    version="1",
    urls_namespace="api",
    docs_url=None,
    openapi_url=None,
    renderer=Renderer(),
)
errors.handle(api)
for tag, module in {
    "Workspace": workspaces,
    "Members": members,
    "Sources": sources,
    "Databases": database_sources,
    "Loads": loads,
    "Attributes": attributes,
    "Profiles": profiles,
    "Erasures": erasures,
    "Suppressions": suppressions,
    "Segments": segments,
    "Figures of segments": segment_figures,
    "Tags of segments": segment_tags,
    "Static segments": static_segments,
    "Connections": connections,
    "Exports": destinations,
    "Runs": runs,
    "Refreshes": refreshes,
    "Endpoints for events": endpoints,
    "Audit log": audit,
}.items():
    api.add_router("", module.router, tags=[tag])
