"""The API itself: its operations, put together."""

from typing import Any

import orjson
from django.http import HttpRequest
from ninja import NinjaAPI
from ninja.parser import Parser
from ninja.renderers import BaseRenderer
from pydantic import BaseModel

from api import errors
from api.routes import (
    accounts,
    attribute_figures,
    attributes,
    audit,
    budget,
    connections,
    database_sources,
    destination_previews,
    destinations,
    endpoints,
    erasures,
    leaving,
    loads,
    members,
    notices,
    profiles,
    refreshes,
    runs,
    segment_changes,
    segment_figures,
    segment_members,
    segment_tags,
    segments,
    several,
    sources,
    static_segments,
    suppressions,
    taken_off,
    workspaces,
)


class StrictParser(Parser):
    """Takes nothing for JSON that is none, such as NaN or half a character."""

    def parse_body(self, request: HttpRequest) -> Any:
        return orjson.loads(request.body)


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
    parser=StrictParser(),
    renderer=Renderer(),
)
errors.handle(api)
for tag, module in {
    "Workspace": workspaces,
    "Leaving": leaving,
    "Members": members,
    "Sources": sources,
    "Databases": database_sources,
    "Loads": loads,
    "Attributes": attributes,
    "Figures of attributes": attribute_figures,
    "Profiles": profiles,
    "Erasures": erasures,
    "Suppressions": suppressions,
    "Segments": segments,
    "Members of segments": segment_members,
    "Changes of segments": segment_changes,
    "Figures of segments": segment_figures,
    "Tags of segments": segment_tags,
    "Static segments": static_segments,
    "Connections": connections,
    "Accounts": accounts,
    "Budget": budget,
    "Exports": destinations,
    "Previews of exports": destination_previews,
    "Taken off": taken_off,
    "Runs": runs,
    "Several at once": several,
    "Refreshes": refreshes,
    "Notices": notices,
    "Endpoints for events": endpoints,
    "Audit log": audit,
}.items():
    api.add_router("", module.router, tags=[tag])
