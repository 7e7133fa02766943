"""How the tests of pages fill in an export and read what a page says."""

import html
import re
from typing import Any

from django.test import Client
from django.urls import reverse

from tests.exports.engine_world import World
from tests.workspaces.factories import signed_in
from workspaces.models import Role, Workspace


def url(name: str, workspace: Workspace, *arguments: object) -> str:
    return reverse(f"exports:{name}", args=[workspace.slug, *arguments])


def entered(world: World, **changes: Any) -> dict[str, Any]:
    """What a person enters to add an export; `changes` replace or add."""
    values = {
        "connection": world.connection.pk,
        "name": "A new export",
        "way": "pick",
        "picked": world.sandbox.lists().get("Events", ""),
        "pasted": "",
        "made": "",
        "email": "email",
        "field": ["first_name"],
        "attribute": ["first"],
        "segments": [world.segment.pk],
        "seen": "",
    }
    return values | changes


def administrator(workspace: Workspace) -> Client:
    return signed_in(workspace)


def contributor(workspace: Workspace) -> Client:
    return signed_in(workspace, Role.CONTRIBUTOR)


def viewer(workspace: Workspace) -> Client:
    return signed_in(workspace, Role.VIEWER)


def words(response: Any) -> str:
    """The page's text as a person reads it, blanks and tags taken out."""
    page = response.content.decode()
    page = re.sub(r"<(script|style|template)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))
