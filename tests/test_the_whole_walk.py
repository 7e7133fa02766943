"""Every page in every language, by every role, in both themes: `make walk`.

`make test` looks at each page for what a language or a role changes of it. Here nothing is left
out, and of each page a picture is kept in either theme: its hundreds of pages take a browser
minutes.
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


@pytest.mark.parametrize("language", ["en", "ca", "es"])
def test_no_page_is_at_fault_for_anybody(
    workspace: Workspace, live_server: Any, browser: Any, monkeypatch: Any, language: str
) -> None:
    untranslated = watch(language, monkeypatch)
    administrator, found = the_world(workspace)
    visitor = Visitor(browser, live_server, language, WIDTHS)
    for url in STRANGERS:
        assert visitor.look_at(url), url
        visitor.look_in_the_dark()
    visitor.sign_in(administrator)
    for url in found:
        name = f"walk {language} {url.strip('/').replace('/', ' ')}"
        assert visitor.look_at(url), url
        take_picture(visitor.tab, name)
        visitor.look_in_the_dark()
        take_picture(visitor.tab, f"{name} dark")
    for role in (Role.CONTRIBUTOR, Role.VIEWER):
        visitor.sign_in(signed_in(workspace, role))
        seen = 0
        for url in found:
            if visitor.look_at(url):
                visitor.look_in_the_dark()
                seen += 1
        assert seen > len(found) / 2
    faults = visitor.faults + [f"not translated: {one}" for one in untranslated - ALIKE]
    assert faults == [], "\n".join(faults)
