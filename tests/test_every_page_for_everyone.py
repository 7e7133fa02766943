"""Every page, in a browser: nothing that axe-core knows to keep people out, nothing in the console.

WCAG 2.2 AA, in the light theme whole and in the dark one for its colours. One walk for all pages,
since a browser's minutes are dear.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.connections.factories import ConnectionFactory
from tests.exports.factories import BatchFactory, DestinationFactory, RejectionFactory, RunFactory
from tests.segments.factories import (
    ImportFactory,
    RefusedRowFactory,
    SegmentFactory,
    SourceFactory,
    UploadFactory,
    make_customers,
)
from tests.workspaces.factories import MembershipFactory, signed_in
from tests.workspaces.test_every_workspace_url import under_workspaces
from workspaces import audit
from workspaces.models import Notice, Refresh, RefreshStep, Role
from workspaces.notices import endpoints, telling

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AXE = (Path(__file__).parent / "vendor/axe-core/axe.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What is being counted anew is dim on purpose; of the API's operations one of each kind will do.
RUN = """
async (only) => {
  const where = { exclude: [[".htmx-request"], [".operation ~ .operation"]] };
  const how = { runOnly: only, resultTypes: ["violations"], preload: false };
  const found = await axe.run(where, how);
  return found.violations.map((one) => `${one.id}: ${one.nodes[0].html.slice(0, 160)}`);
}
"""
DARK = "document.documentElement.dataset.bsTheme = 'dark'"
STRANGERS = ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/no-such-page/"]
OWN = [
    "/workspaces/new/",
    "/accounts/name/",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/security/",
    "/accounts/security/totp/activate/",
    "/accounts/security/webauthn/add/",
    "/accounts/security/sessions/",
]


def a_workspace_with_something_of_everything(workspace: Any, member: Any) -> dict[str, int]:
    """The ids by which URLs are filled in, by how the names of the URLs begin."""
    make_customers(workspace)
    source = SourceFactory(workspace=workspace)
    load = ImportFactory(source=source)
    RefusedRowFactory(source_import=load)
    upload = UploadFactory(workspace=workspace)
    segment = SegmentFactory(workspace=workspace, refreshed_at=timezone.now(), member_count=6)
    destination = DestinationFactory(
        workspace=workspace, connection=ConnectionFactory(workspace=workspace), segments=[segment]
    )
    run = RunFactory(
        destination=destination, in_segments=12, added=9, invalid=2, rejected=1, requests=7
    )
    BatchFactory(run=run, contacts=9)
    RejectionFactory(run=run)
    RunFactory(destination=destination, state="failed")
    refresh = Refresh.objects.create(workspace=workspace, trigger="schedule", state="failed")
    RefreshStep.objects.create(
        workspace=workspace,
        refresh=refresh,
        position=1,
        kind="source",
        object_id=source.pk,
        name="Shop",
    )
    endpoint, _secret = endpoints.create(
        workspace,
        name="Shop",
        form="json",
        url="https://example.com/",
        events=["run.finished"],
        by=member.user,
    )
    endpoints.try_out(endpoint, by=member.user)
    for tone in Notice.Tone.values:
        text = "Something about an export."
        telling.begins(workspace, "run_failed", tone, text, "/", tone=Notice.Tone(tone))
    audit.record(workspace, "run.started", target=destination, run=run.pk)
    attribute, profile = _first("attribute"), _first("profile")
    return {
        "workspaces:member_": MembershipFactory(workspace=workspace, role=Role.VIEWER).pk,
        "workspaces:refresh_": refresh.pk,
        "workspaces:endpoint": endpoint.pk,
        "segments:source_": source.pk,
        "segments:upload": upload.pk,
        "segments:import_": load.pk,
        "segments:attribute_": attribute,
        "segments:profile_": profile,
        "segments:segment_": segment.pk,
        "exports:destination_": destination.pk,
        "exports:run_": run.pk,
        "connections:": destination.connection_id,
    }


def _first(kind: str) -> int:
    from segments.models import Attribute, Profile

    return {"attribute": Attribute, "profile": Profile}[kind].objects.order_by("pk")[0].pk


def pages(client: Any, slug: str, ids: dict[str, int]) -> Iterator[str]:
    """Whatever of the URLs answers with a whole page, once for each template."""
    seen = set()
    for name, arguments in under_workspaces():
        filled: dict[str, Any] = {"slug": slug}
        if [argument for argument, _sample in arguments] == ["pk"]:
            known = [pk for prefix, pk in ids.items() if name.startswith(prefix)]
            if not known:
                continue
            filled["pk"] = known[0]
        elif arguments:
            continue
        url = reverse(name, kwargs=filled)
        answer = client.get(url)
        is_html = answer.get("Content-Type", "").startswith("text/html")
        if answer.status_code != 200 or not is_html or b"<html" not in answer.content:
            continue
        if answer.templates[0].name not in seen:
            seen.add(answer.templates[0].name)
            yield url


def test_no_page_keeps_anybody_out(workspace: Any, live_server: Any, browser: Any) -> None:
    client = signed_in(workspace)
    ids = a_workspace_with_something_of_everything(workspace, client.member)
    found = [*pages(client, workspace.slug, ids), *OWN]
    assert len(found) > 40
    context = browser.new_context(base_url=live_server.url, locale="en-GB", reduced_motion="reduce")
    context.add_init_script(AXE)
    tab = context.new_page()
    faults: list[str] = []
    tab.on("pageerror", lambda error: faults.append(str(error)))
    for url in STRANGERS:
        faults += _faults(tab, url, dark=True)
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    for place, url in enumerate(found):
        # The colours of components are the same wherever they are.
        faults += _faults(tab, url, dark=place % 3 == 0)
    assert faults == [], "\n".join(faults)


def _faults(tab: Any, url: str, *, dark: bool) -> list[str]:
    tab.goto(url, wait_until="domcontentloaded")
    found = tab.evaluate(RUN, TAGS)
    if dark:
        tab.evaluate(DARK)
        found += [f"dark: {one}" for one in tab.evaluate(RUN, ["color-contrast"])]
    return [f"{url}: {one}" for one in found]
