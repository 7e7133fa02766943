"""A preview of very many profiles is made by a worker; the page shows it when it is there."""

from datetime import timedelta
from typing import Any

import pytest

from exports import previews, tasks
from tests.another_session import held_elsewhere
from tests.conftest import celery_worker, wait_until
from tests.exports.engine_world import World
from tests.exports.pages import administrator, entered, url, words
from workspaces import locks

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None, workspace: Any, sandbox: Any, monkeypatch: Any) -> World:
    monkeypatch.setattr(previews, "LARGE", 3)
    world = World(workspace, sandbox)
    world.add_people(3)
    return world


def token_of(page: Any) -> str:
    return str(page.context["token"])


def test_it_is_made_by_a_worker_and_fetched_by_the_page(world: World) -> None:
    client = administrator(world.workspace)
    page = client.post(url("preview", world.workspace), entered(world))
    assert "Counting who would be sent" in words(page)
    where = url("preview_made", world.workspace, token_of(page))
    assert where in page.content.decode()
    assert client.get(where).status_code == 204
    # One that doesn't work at runs: a preview goes on beside them.
    with celery_worker("-Q", "default"):
        made = wait_until(lambda: found if (found := client.get(where)).content else None)
    assert made.context["preview"].sent == 3
    assert "person0@example.com" in made.content.decode()


def test_few_profiles_are_counted_at_once(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(previews, "LARGE", 4)
    client = administrator(world.workspace)
    assert client.post(url("preview", world.workspace), entered(world)).context["preview"].sent == 3
    saved = client.get(url("destination_preview", world.workspace, world.destination.pk))
    assert saved.context["preview"].sent == 3


def test_it_is_for_the_member_who_asked_and_for_a_while(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(tasks.make_preview, "delay", tasks.make_preview)
    client = administrator(world.workspace)
    page = client.get(url("destination_preview", world.workspace, world.destination.pk))
    where = url("preview_made", world.workspace, token_of(page))
    assert administrator(world.workspace).get(where).status_code == 404
    assert client.get(where).context["preview"].sent == 3
    unknown = url("preview_made", world.workspace, "0123456789abcdef")
    assert client.get(unknown).status_code == 404


def test_what_no_worker_makes_in_time_is_told(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(previews, "PATIENCE", timedelta(0))
    client = administrator(world.workspace)
    page = client.get(url("destination_preview", world.workspace, world.destination.pk))
    late = client.get(url("preview_made", world.workspace, token_of(page)))
    assert "Ask for it again" in words(late)


def test_it_waits_for_another_large_plan(world: World, monkeypatch: Any) -> None:
    asked_again: list[Any] = []
    monkeypatch.setattr(tasks.make_preview, "delay", tasks.make_preview)
    monkeypatch.setattr(
        tasks.make_preview,
        "apply_async",
        lambda arguments, countdown: asked_again.append(arguments),
    )
    client = administrator(world.workspace)
    with held_elsewhere(locks.LARGE_PLAN):
        page = client.get(url("destination_preview", world.workspace, world.destination.pk))
        where = url("preview_made", world.workspace, token_of(page))
        assert client.get(where).status_code == 204
    tasks.make_preview(*asked_again[0])
    assert client.get(where).context["preview"].sent == 3
