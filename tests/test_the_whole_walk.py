"""Every page in every language, by every role, in both themes: `make walk`.

`make test` looks at each page for what a language or a role changes of it. Here nothing is left
out, and of each page a picture is kept: its hundreds of pages take a browser minutes.
"""

from typing import Any

import pytest

from tests.screens import take_picture
from tests.test_every_page_for_everyone import (
    ALIKE,
    STRANGERS,
    Visitor,
    the_world,
    watch,
)
from tests.workspaces.factories import signed_in
from workspaces.models import Role, Workspace

pytestmark = [pytest.mark.walk, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDTHS = (1280, 2560, 360)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ca", "es"])
def test_no_page_is_at_fault_for_anybody(
    workspace: Workspace,
    live_server: Any,
    browser: Any,
    monkeypatch: Any,
    language: str,
    theme: str,
) -> None:
    untranslated = watch(language, monkeypatch)
    administrator, found = the_world(workspace)
    others = [signed_in(workspace, role) for role in (Role.CONTRIBUTOR, Role.VIEWER)]
    visitor = Visitor(browser, live_server, language, WIDTHS, axe=True, color_scheme=theme)
    for url in STRANGERS:
        assert visitor.look_at(url), url
    visitor.sign_in(administrator)
    for url in found:
        assert visitor.look_at(url), url
        take_picture(visitor.tab, f"walk {language} {theme} {url.strip('/').replace('/', ' ')}")
    for client in others:
        visitor.sign_in(client)
        seen = sum(visitor.look_at(url) for url in found)
        assert seen > len(found) / 2
    faults = visitor.faults + [f"not translated: {one}" for one in untranslated - ALIKE]
    assert faults == [], "\n".join(faults)
