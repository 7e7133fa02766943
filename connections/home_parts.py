"""What connections add to a workspace's home."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from connections import health, selectors
from connections.models import Connection
from workspaces import home
from workspaces.home import Notice, Stat, Step
from workspaces.permissions import may


def connect(request: HttpRequest) -> Step:
    allowed = may(request.membership, "connection.change")  # type: ignore[attr-defined]
    done = bool(_finished(request))
    url, link = reverse("connections:add", args=[_slug(request)]), _("Add connection")
    drafts = [] if done else _connections(request)
    if drafts:
        draft = max(drafts, key=lambda one: one.pk)
        url, link = reverse("connections:detail", args=[_slug(request), draft.pk]), _("Go on")
    return Step(
        label=_("Connect Constant Contact"),
        text=_("An Administrator signs in to the account that exports go to."),
        done=done,
        url=url if allowed else "",
        link=link,
    )


def connections(request: HttpRequest) -> Stat:
    allowed = may(request.membership, "connection.view")  # type: ignore[attr-defined]
    return Stat(
        label=_("Connections"),
        value=len(_finished(request)),
        icon="plug-connected",
        url=reverse("connections:list", args=[_slug(request)]) if allowed else "",
    )


def needing_a_person(request: HttpRequest) -> list[Notice]:
    """What stops exports without anybody having wanted it; a consent is withdrawn on purpose."""
    if not may(request.membership, "connection.change"):  # type: ignore[attr-defined]
        return []
    return [
        Notice(
            text=standing.problem,
            url=reverse("connections:detail", args=[_slug(request), connection.pk]),
            link=_("Open the connection"),
            tone="danger",
        )
        for connection in _finished(request)
        if (standing := health.of(connection)).code not in ("", "no_consent")
    ]


def _finished(request: HttpRequest) -> list[Connection]:
    return [one for one in _connections(request) if one.state != Connection.State.DRAFT]


def _connections(request: HttpRequest) -> list[Connection]:
    return home.once(request, "connections", selectors.known_connections)


def _slug(request: HttpRequest) -> str:
    return str(request.workspace.slug)  # type: ignore[attr-defined]
