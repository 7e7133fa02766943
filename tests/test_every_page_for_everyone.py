"""Every page, in a browser: nothing that axe-core knows to keep people out (WCAG 2.2 AA), nothing
in the console, nothing wider than the screen, no class without its styles, no string without a
translation.

A browser's minutes are dear: no page is opened for one question alone.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import trans_real
from playwright.sync_api import Page

from scripts import tabler_styles
from segments.models import AttributeChange
from segments.segment_services import refresh_segment
from tests.connections.factories import ConnectionFactory
from tests.exports.every_state import in_every_state
from tests.exports.factories import BatchFactory, DestinationFactory, RejectionFactory, RunFactory
from tests.screens import WIDTHS, Screen, faults_of
from tests.segments.factories import (
    AttributeFactory,
    ImportFactory,
    ProfileFactory,
    RefusedRowFactory,
    SegmentFactory,
    SourceFactory,
    UploadFactory,
    group,
    make_customers,
    rule,
)
from tests.workspaces.factories import MembershipFactory, signed_in
from tests.workspaces.test_every_workspace_url import under_workspaces
from workspaces import audit
from workspaces.models import Notice, Refresh, RefreshStep, Role, Workspace
from workspaces.notices import endpoints, telling

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AXE = (Path(__file__).parent / "vendor/axe-core/axe.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What is being counted anew is dim on purpose. Axe asks every rule about every element: so of the
# API's operations one of each kind is left, of what a list offers the first, of icons and charts
# the outside and the words (all of it is there again afterwards, for pictures); and what stands
# around the page is looked at wherever it is another.
RUN = """
async ([runOnly, leftOut]) => {
  const alike = [
    ".operation ~ .operation",
    "option:nth-child(n + 4):not(:checked)",
    "svg :is(use, path, circle, rect, line):not(:has(*), [role], [tabindex], [aria-label])",
  ];
  const place = (one) => [one, one.parentNode, one.nextSibling];
  const out = [...document.querySelectorAll(alike)].map(place);
  out.forEach(([one]) => one.remove());
  const here = [innerWidth, document.documentElement.dataset.bsTheme, runOnly, leftOut];
  const known = (part) => {
    const bare = part.cloneNode(true);
    bare.querySelectorAll("[type=hidden]").forEach((one) => one.remove());
    const key = JSON.stringify([here, bare.outerHTML]);
    const found = sessionStorage.getItem(key);
    sessionStorage.setItem(key, "looked at");
    return found;
  };
  const around = [...document.querySelectorAll(".topbar, .sidebar")].filter(known);
  const where = { exclude: [".htmx-request", ...around] };
  const rules = Object.fromEntries(leftOut.map((rule) => [rule, { enabled: false }]));
  const how = { resultTypes: ["violations"], preload: false, runOnly, rules };
  const found = await axe.run(where, how);
  out.reverse().forEach(([one, parent, next]) => parent.insertBefore(one, next));
  return found.violations.map((one) => `${one.id}: ${one.nodes[0].html.slice(0, 160)}`);
}
"""
CLASSES = "[...new Set([...document.querySelectorAll('[class]')].flatMap(e => [...e.classList]))]"
COLOURS = ["color-contrast"]
# Rules that no language changes the outcome of, and the dearest.
NOT_OF_WORDS = [*COLOURS, "target-size"]
DARK = "document.documentElement.dataset.bsTheme = 'dark'"
# Strings that say the same in every language.
ALIKE = {"Català", "Español", "%(first)s %(then)s"}
# Classes whose styles browsers are not sent (scripts/tabler_styles.py).
LEFT_OUT = tabler_styles.classes_of(tabler_styles.SOURCE) - tabler_styles.classes_of(
    tabler_styles.RESULT
)
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
    segment = SegmentFactory(
        workspace=workspace, name="Parisians", refreshed_at=timezone.now(), member_count=6
    )
    destination = DestinationFactory(
        workspace=workspace,
        connection=ConnectionFactory(workspace=workspace, name="The shop's"),
        matching={"email": "city"},
        segments=[segment],
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


def long_ones(workspace: Workspace) -> list[str]:
    """Pages of things whose names, values and reasons are as long as they may be."""
    rules = group(
        rule("city", "is", "w" * 300),
        group(group(group(rule("born", "between", ["1980-01-01", "2000-01-01"])))),
    )
    segment = SegmentFactory(workspace=workspace, name="A long name " * 8, rules=rules)
    refresh_segment(segment)
    attribute = AttributeFactory(
        workspace=workspace, name="w" * 255, label="W" * 255, type="list", position=9
    )
    ProfileFactory(workspace=workspace, attributes={"w" * 255: ["v" * 300, "u" * 300]})
    change = AttributeChange.objects.create(
        workspace=workspace, attribute=attribute, name="W" * 255, type="text", state="succeeded"
    )
    connection = ConnectionFactory(
        workspace=workspace, name="A connection " + "of a long name " * 5
    )
    uploads = [
        UploadFactory(workspace=workspace, file_name="w" * 250 + ".csv", **state)
        for state in ({"state": "waiting"}, {"state": "refused", "reason": "A picture. " * 9})
    ]
    named = {
        "segments:segment_detail": [segment],
        "segments:segment_edit": [segment],
        "segments:attribute_detail": [attribute],
        "segments:attribute_type": [attribute],
        "segments:attribute_change": [change],
        "segments:upload": uploads,
        "connections:detail": [connection],
        "connections:edit": [connection],
        "connections:remove": [connection],
        "exports:run_detail": in_every_state(workspace).values(),
    }
    return [
        reverse(name, args=[workspace.slug, one.pk]) for name, all_ in named.items() for one in all_
    ]


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
    set_up = reverse("exports:destination_edit", args=[slug, ids["exports:destination_"]])
    yield from (f"{set_up}?step={step}" for step in ("matching", "segments", "preview"))


def the_world(workspace: Any) -> tuple[Client, list[str]]:
    """An Administrator, and the URLs of all pages that they may open."""
    administrator = signed_in(workspace, Role.ADMINISTRATOR)
    ids = a_workspace_with_something_of_everything(workspace, administrator.member)  # type: ignore[attr-defined]
    return administrator, [*pages(administrator, workspace.slug, ids), *OWN]


class Visitor:
    """Goes from page to page in one tab, and keeps what was wrong with them."""

    def __init__(
        self,
        browser: Any,
        live_server: Any,
        language: str = "en",
        widths: tuple[int, ...] = WIDTHS,
        *,
        axe: bool = True,
        besides: Sequence[str] = (),
    ) -> None:
        """Axe looks for everything, unless it is told of rules to leave out."""
        self.live_server = live_server
        self.context = browser.new_context(base_url=live_server.url, locale=language)
        self.add_cookie("django_language", language)
        self.widths = widths
        self.axe = axe
        self.besides = list(besides)
        if axe:
            self.context.add_init_script(AXE)
        self.tab: Page = self.context.new_page()
        self.broken = faults_of(self.tab)
        self.screen = Screen(self.tab)
        self.faults: list[str] = []

    def add_cookie(self, name: str, value: str) -> None:
        self.context.add_cookies([{"name": name, "value": value, "url": self.live_server.url}])

    def sign_in(self, client: Client) -> None:
        self.add_cookie("sessionid", client.cookies["sessionid"].value)

    def look_at(self, url: str) -> bool:
        """False when the page is refused."""
        self.broken.clear()
        answer = self.tab.goto(url, wait_until="domcontentloaded")
        assert answer is not None
        if answer.status == 403:
            return False
        if answer.status == 404:
            self.broken.clear()
        found = self.screen.too_wide(self.widths)
        classes = LEFT_OUT.intersection(self.tab.evaluate(CLASSES))
        found += [f"no styles: {one}" for one in classes]
        if self.axe:
            found += self.tab.evaluate(RUN, [TAGS, self.besides])
        self.faults += [f"{url}: {one}" for one in [*found, *self.broken]]
        return True

    def look_in_the_dark(self) -> None:
        """At the page that was last looked at: nothing of it but its colours is another."""
        self.tab.evaluate(DARK)
        found = self.tab.evaluate(RUN, [COLOURS, []])
        self.faults += [f"{self.tab.url} in the dark: {one}" for one in found]


def test_no_page_keeps_anybody_out(workspace: Workspace, live_server: Any, browser: Any) -> None:
    """In English and by an Administrator, who finds the most on each; colours and the sizes of what
    is pressed are the same in all languages.
    """
    administrator, found = the_world(workspace)
    assert len(found) > 40
    visitor = Visitor(browser, live_server)
    for url in STRANGERS:
        visitor.look_at(url)
        visitor.look_in_the_dark()
    visitor.sign_in(administrator)
    for place, url in enumerate(found):
        assert visitor.look_at(url), url
        # The colours of components are the same wherever they are.
        if place % 3 == 0:
            visitor.look_in_the_dark()
    assert visitor.faults == [], "\n".join(visitor.faults)


def test_pages_of_long_names_and_of_every_state_fit_the_screen(
    workspace: Workspace, live_server: Any, browser: Any
) -> None:
    make_customers(workspace)
    found = long_ones(workspace)
    visitor = Visitor(browser, live_server, axe=False)
    visitor.sign_in(signed_in(workspace, Role.ADMINISTRATOR))
    for url in found:
        assert visitor.look_at(url), url
    assert visitor.faults == [], "\n".join(visitor.faults)


@pytest.mark.parametrize(
    ("language", "roles"),
    [("ca", [Role.VIEWER, Role.CONTRIBUTOR]), ("es", [Role.CONTRIBUTOR, Role.VIEWER])],
)
def test_every_page_keeps_nobody_out_in_another_language_and_fits_a_telephone(
    workspace: Workspace,
    live_server: Any,
    browser: Any,
    monkeypatch: Any,
    language: str,
    roles: list[str],
) -> None:
    """By both roles in turn; by an Administrator where a page is theirs alone.

    Names, labels, titles and the language itself, and whatever the words' markup could break.
    """
    untranslated = watch(language, monkeypatch)
    administrator, found = the_world(workspace)
    clients = [signed_in(workspace, role) for role in roles]
    visitor = Visitor(browser, live_server, language, WIDTHS[:1], besides=NOT_OF_WORDS)
    for url in STRANGERS:
        visitor.look_at(url)
    for place, url in enumerate(found):
        visitor.sign_in(clients[place % 2])
        if not visitor.look_at(url):
            visitor.sign_in(administrator)
            assert visitor.look_at(url), url
    faults = visitor.faults + [f"not translated: {one}" for one in untranslated - ALIKE]
    assert faults == [], "\n".join(faults)


class Watched:
    """What a language falls back on; keeps what it was asked for."""

    def __init__(self, english: Any, asked: set[str]) -> None:
        self.english = english
        self.asked = asked

    def gettext(self, text: str) -> str:
        self.asked.add(text)
        return str(self.english.gettext(text))

    def ngettext(self, one: str, many: str, number: int) -> str:
        self.asked.add(one)
        return str(self.english.ngettext(one, many, number))


def watch(language: str, monkeypatch: Any) -> set[str]:
    """Grows by the strings that the language has no translation of."""
    asked: set[str] = set()
    if language != "en":
        watched = Watched(trans_real.translation("en"), asked)
        monkeypatch.setattr(trans_real.translation(language), "_fallback", watched)
    return asked
