"""The application: the authorization server, the API, the control endpoints, the pages."""

import asyncio
import copy
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox import activities, contacts, control, imports, lists, oauth, pages, snapshot
from sandbox.configuration import Configuration
from sandbox.errors import Refusal
from sandbox.faults import Fault, Faults
from sandbox.limits import Limits
from sandbox.state import State

SNAPSHOT_SECONDS = 5


def create_app(configuration: Configuration) -> Starlette:
    """Raises ValueError for a fault or a state file that makes no sense."""
    state = State()
    faults = Faults(configuration.seed)
    for text in configuration.faults:
        faults.add(Fault.parse(text))
    if configuration.data:
        snapshot.load(Path(configuration.data), state)
    api = [*lists.routes, *imports.routes, *activities.routes, *contacts.routes]
    app = Starlette(
        routes=[
            Mount("/oauth2/default", routes=oauth.routes),
            Mount("/v3", routes=api),
            Mount("/_control", routes=control.routes),
            Mount("/static", StaticFiles(directory=pages.HERE / "static")),
            *pages.routes,
        ],
        middleware=[Middleware(Statistics, state=state)],
        exception_handlers={Refusal: _refuse},
        lifespan=_lifespan,
    )
    app.state.configuration = configuration
    app.state.started_with = copy.copy(configuration)
    app.state.sandbox = state
    app.state.faults = faults
    app.state.limits = Limits(configuration, state)
    app.state.tasks = set()
    return app


async def _refuse(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)  # noqa: S101 - registered for it alone
    return refusal.response


class Statistics:
    """Counts API requests by route and status."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self.app = app
        self.state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith(("/v3", "/oauth2")):
            await self.app(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.state.requests[f"{scope['method']} {path} {message['status']}"] += 1
                self.state.recent.append(
                    {"method": scope["method"], "path": path, "status": message["status"]}
                )
            await send(message)

        await self.app(scope, receive, counted)


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    if not app.state.configuration.data:
        yield
        return
    path = Path(app.state.configuration.data)
    keeper = asyncio.create_task(_keep(app.state, path))
    yield
    keeper.cancel()
    snapshot.save(path, app.state.sandbox)


async def _keep(state: Any, path: Path) -> None:
    saved = state.sandbox.changed
    child = None
    while True:
        await asyncio.sleep(SNAPSHOT_SECONDS)
        if child is not None:
            with suppress(ChildProcessError):
                if os.waitpid(child, os.WNOHANG) == (0, 0):
                    continue
            child = None
        if state.sandbox.changed != saved:
            saved = state.sandbox.changed
            child = snapshot.save_aside(path, state.sandbox)
