"""How many profiles a workspace has: exact where counting is quick, kept where it is not."""

from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.cache import cache
from django.core.management import call_command

from segments import attribute_facts, population
from tests.segments.factories import AttributeFactory, ProfileFactory
from workspaces.models import Workspace


def test_a_quick_count_is_made_anew_each_time(workspace: Workspace) -> None:
    ProfileFactory.create_batch(2, workspace=workspace)
    assert population.size(workspace.pk) == 2
    ProfileFactory(workspace=workspace)
    assert population.size(workspace.pk) == 3


def test_one_that_took_long_is_kept_until_profiles_come_or_go(
    workspace: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    monkeypatch.setattr(population, "SLOW_SECONDS", -1)
    ProfileFactory.create_batch(2, workspace=workspace)
    assert population.size(workspace.pk) == 2
    ProfileFactory(workspace=workspace)
    assert population.size(workspace.pk) == 2
    file = tmp_path / "more.csv"
    file.write_text("id,name\nnew,Ann\n")
    with django_capture_on_commit_callbacks(execute=True):
        call_command("import_profiles", workspace.slug, str(file), "--key=id", verbosity=0)
    assert population.size(workspace.pk) == 4


def test_without_redis_it_is_counted(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_arguments: Any) -> None:
        raise redis.ConnectionError

    monkeypatch.setattr(population, "SLOW_SECONDS", -1)
    monkeypatch.setattr(cache, "get", gone)
    monkeypatch.setattr(cache, "set", gone)
    ProfileFactory(workspace=workspace)
    assert population.size(workspace.pk) == 1


def test_so_is_what_is_known_of_attributes(
    workspace: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    monkeypatch.setattr(attribute_facts, "SLOW_SECONDS", -1)
    name = AttributeFactory(workspace=workspace, name="name")

    def filled() -> int:
        return attribute_facts.facts(workspace, [name], 3).by_name["name"].filled

    assert filled() == 0
    ProfileFactory(workspace=workspace, attributes={"name": "Bea"})
    assert filled() == 0
    file = tmp_path / "more.csv"
    file.write_text("id,name\nnew,Ann\n")
    with django_capture_on_commit_callbacks(execute=True):
        call_command("import_profiles", workspace.slug, str(file), "--key=id", verbosity=0)
    assert filled() == 2
