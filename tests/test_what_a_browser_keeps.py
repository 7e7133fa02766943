"""A browser that has shown people keeps nothing of them, for whoever sits down at it next."""

from typing import Any

import pytest
from django.urls import reverse

from exports.models import Rejection
from segments.models import SegmentMember, Suppression
from tests.connections.factories import ConnectionFactory
from tests.exports.factories import DestinationFactory, RunFactory
from tests.segments.factories import (
    AttributeFactory,
    ImportFactory,
    ProfileFactory,
    RefusedRowFactory,
    SegmentFactory,
    group,
    rule,
)
from tests.workspaces.factories import signed_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ADDRESS = "zephyrine.quillfeather@example.com"
MARKS = ("quillfeather", "zephyrine")
KEPT = """
async () => {
  const found = [document.cookie, window.name, JSON.stringify(history.state)];
  for (const store of [localStorage, sessionStorage])
    for (let place = 0; place < store.length; place++)
      found.push(store.key(place), store.getItem(store.key(place)));
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const asked of await cache.keys())
      found.push(asked.url, await (await cache.match(asked)).text());
  }
  for (const one of await indexedDB.databases()) {
    found.push(one.name);
    const database = await new Promise((done, failed) => {
      const opening = indexedDB.open(one.name);
      opening.onsuccess = () => done(opening.result);
      opening.onerror = () => failed(opening.error);
    });
    for (const name of database.objectStoreNames) {
      found.push(name, await new Promise((done) => {
        const all = database.transaction(name).objectStore(name).getAll();
        all.onsuccess = () => done(JSON.stringify(all.result));
      }));
    }
  }
  return found.filter(Boolean).join("\\n");
}
"""


def test_nothing_marked_is_in_storage_caches_databases_or_cookies(
    workspace: Any, live_server: Any, browser: Any
) -> None:
    AttributeFactory(workspace=workspace, name="email", label="Zephyrine’s label")
    person = ProfileFactory(
        workspace=workspace, key="quillfeather-1", attributes={"email": ADDRESS}
    )
    segment = SegmentFactory(
        workspace=workspace, member_count=1, rules=group(rule("email", "is", ADDRESS))
    )
    SegmentMember.objects.create(workspace=workspace, segment=segment, profile_id=person.pk)
    destination = DestinationFactory(
        workspace=workspace, connection=ConnectionFactory(workspace=workspace), segments=[segment]
    )
    run = RunFactory(destination=destination, in_segments=1, invalid=1)
    Rejection.objects.create(
        workspace=workspace,
        run=run,
        profile_id=person.pk,
        profile_key=person.key,
        address=ADDRESS,
        kind="invalid",
        reason="malformed_address",
    )
    load = ImportFactory(source__workspace=workspace)
    RefusedRowFactory(source_import=load, value=ADDRESS)
    Suppression.objects.create(workspace=workspace, address=ADDRESS, origin="member")

    client = signed_in(workspace)
    context = browser.new_context(base_url=live_server.url)
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    tab = context.new_page()
    walk = {
        "segments:profile_detail": person.pk,
        "segments:segment_detail": segment.pk,
        "segments:segment_edit": segment.pk,
        "segments:import_detail": load.pk,
        "segments:suppression_list": None,
        "exports:destination_detail": destination.pk,
        "exports:run_detail": run.pk,
    }
    for name, pk in walk.items():
        tab.goto(reverse(name, args=[workspace.slug, *([pk] if pk else [])]))
        if name != "exports:destination_detail":
            assert any(mark in tab.content().lower() for mark in MARKS), name
        for closed in tab.locator("summary").all():
            closed.click()
    tab.locator('input[name="profile"]').fill(ADDRESS)
    tab.keyboard.press("Enter")
    tab.goto(reverse("segments:profile_list", args=[workspace.slug]))
    tab.locator('input[name="q"]').first.fill(ADDRESS)
    tab.keyboard.press("Enter")
    tab.get_by_text("quillfeather-1").wait_for()
    kept = tab.evaluate(KEPT)
    for mark in (*MARKS, session):
        assert mark not in kept.lower(), kept
    readable = [one for one in context.cookies() if not one["httpOnly"]]
    assert {one["name"] for one in readable} <= {"csrftoken", "django_language"}
    assert not any(mark in str(context.cookies()).lower() for mark in MARKS)

    tab.evaluate(
        "async () => { sessionStorage.setItem('a', 'in the session');"
        " (await caches.open('b')).put('/c', new Response('in the cache'));"
        " document.cookie = 'd=in-a-cookie'; }"
    )
    found = tab.evaluate(KEPT)
    assert all(one in found for one in ("in the session", "in the cache", "in-a-cookie"))
