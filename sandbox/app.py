"""The application: the authorization server, the API, the control endpoints, the pages."""

import asyncio
import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Router
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from sandbox import (
    accounts,
    activities,
    authorize,
    contact_search,
    contacts,
    control,
    custom_fields,
    exports,
    imports,
    lists,
    memberships,
    oauth,
    pages,
)
from sandbox.activities import Queue
from sandbox.configuration import Configuration
from sandbox.errors import Refusal, service_error
from sandbox.faults import Fault, Faults
from sandbox.front import Front
from sandbox.limits import Limits
from sandbox.snapshot import Keeper, load
from sandbox.state import State

API: list[BaseRoute] = [
    *accounts.routes,
    *lists.routes,
    *custom_fields.routes,
    *imports.routes,
    *memberships.routes,
    *exports.routes,
    *activities.routes,
    *contact_search.routes,
    *contacts.routes,
]
ERROR_KEYS = {404: "contacts.api.not_found", 405: "contacts.api.method_not_allowed"}


def create_app(configuration: Configuration) -> ASGIApp:
    """Raises ValueError for a fault or a state file that makes no sense."""
    state = State()
    faults = Faults(configuration.seed)
    for text in configuration.faults:
        faults.add(Fault.parse(text))
    if configuration.data:
        load(Path(configuration.data), state)
    app = Starlette(
        routes=[
            Mount("/oauth2/default", Router([*authorize.routes, *oauth.routes], False)),
            Mount("/v3", Router(API, redirect_slashes=False)),
            Mount("/_control", Router(control.routes, redirect_slashes=False)),
            Mount("/static", StaticFiles(directory=pages.HERE / "static")),
            *pages.routes,
        ],
        exception_handlers={Refusal: _refuse, HTTPException: _no_such_route},
        lifespan=_lifespan,
    )
    app.state.configuration = configuration
    app.state.started_with = copy.deepcopy(configuration)
    app.state.sandbox = state
    app.state.faults = faults
    app.state.limits = Limits(configuration, state)
    app.state.queue = Queue(configuration, state)
    return Front(app, configuration, faults, state)


async def _refuse(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)  # noqa: S101 - registered for it alone
    return refusal.response


async def _no_such_route(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)  # noqa: S101 - registered for it alone
    status = problem.status_code
    headers = dict(problem.headers or {})
    if not request.url.path.startswith("/v3"):
        return PlainTextResponse(problem.detail, status, headers)
    key = ERROR_KEYS.get(status, "contacts.api.error")
    return service_error(status, key, problem.detail, headers).response


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    data = app.state.configuration.data
    if not data:
        yield
        return
    keeper = Keeper(Path(data), app.state.sandbox)
    keeping = asyncio.create_task(keeper.keep())
    yield
    keeping.cancel()
    app.state.queue.finish()
    keeper.end()
