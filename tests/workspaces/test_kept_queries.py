"""Queries whose SQL is made once find what Django would, in the workspace in scope alone."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.db.models import F, QuerySet
from django.http import Http404
from django.test.utils import CaptureQueriesContext
from django_scopes import scope
from django_scopes.exceptions import ScopeError

from config.kept_queries import KeptQuery, one_or_404
from tests.workspaces.factories import MembershipFactory, WorkspaceFactory
from workspaces.models import Membership, Role, Workspace


def of_role(role: Any) -> QuerySet[Membership]:
    found = Membership.objects.select_related("user", "workspace").annotate(
        address=F("user__email")
    )
    return found.filter(role=role).order_by("pk")


def test_it_finds_what_the_query_set_does_with_what_belongs_to_it(workspace: Workspace) -> None:
    for role in (Role.VIEWER, Role.VIEWER, Role.CONTRIBUTOR):
        MembershipFactory(workspace=workspace, role=role)
    kept = KeptQuery(of_role)
    with scope(workspace=workspace):
        for role, many in ((Role.VIEWER, 2), (Role.CONTRIBUTOR, 1)):
            found = kept(role=role)
            assert found == list(of_role(role))
            assert len(found) == many
        with CaptureQueriesContext(connection) as asked:
            assert found[0].workspace == workspace
            assert found[0].user.email == found[0].address  # type: ignore[attr-defined]
    assert len(asked) == 0


def test_its_sql_is_made_once(workspace: Workspace) -> None:
    made = []

    def all_of_them() -> QuerySet[Membership, str]:
        made.append(1)
        return Membership.objects.values_list("role", flat=True)

    kept = KeptQuery(all_of_them)
    with scope(workspace=workspace):
        assert kept() == []
        MembershipFactory(workspace=workspace, role=Role.VIEWER)
        assert kept() == [Role.VIEWER]
    assert made == [1]


def test_it_asks_for_the_workspace_in_scope_each_time(workspace: Workspace) -> None:
    other = WorkspaceFactory()
    here, there = MembershipFactory(workspace=workspace), MembershipFactory(workspace=other)
    kept = KeptQuery(of_role)
    for place, member in ((workspace, here), (other, there), (workspace, here)):
        with scope(workspace=place), CaptureQueriesContext(connection) as asked:
            assert kept(role=Role.ADMINISTRATOR) == [member]
        assert f'"workspace_id" = {place.pk} ' in asked[0]["sql"]
    with scope(workspace=None), pytest.raises(ScopeError):
        kept(role=Role.ADMINISTRATOR)


def test_of_a_list_it_finds_any_and_of_an_empty_one_asks_for_nothing(workspace: Workspace) -> None:
    first, second, _third = (MembershipFactory(workspace=workspace) for _each in range(3))
    kept = KeptQuery(lambda keys: Membership.objects.filter(user__pk__any_of=keys).order_by("pk"))
    with scope(workspace=workspace):
        assert kept(keys=[second.user_id, first.user_id]) == [first, second]
        with CaptureQueriesContext(connection) as asked:
            assert kept(keys=[]) == []
    assert len(asked) == 0


def test_what_is_not_there_or_another_workspaces_is_a_404(workspace: Workspace) -> None:
    here, there = MembershipFactory(workspace=workspace), MembershipFactory()
    with scope(workspace=workspace):
        assert one_or_404(Membership, "user", pk=here.pk) == here
        for key in (there.pk, 0, 10**30):
            with pytest.raises(Http404):
                one_or_404(Membership, "user", pk=key)


@pytest.mark.django_db(transaction=True)
def test_each_thread_asks_by_its_own_connection() -> None:
    member = MembershipFactory()
    kept = KeptQuery(of_role)

    def ask() -> tuple[list[Membership], int]:
        try:
            with scope(workspace=member.workspace):
                return kept(role=Role.ADMINISTRATOR), id(connection.connection)
        finally:
            connection.close()

    with scope(workspace=member.workspace):
        assert kept(role=Role.ADMINISTRATOR) == [member]
        here = id(connection.connection)
    with ThreadPoolExecutor(1) as threads:
        found, there = threads.submit(ask).result()
    assert found == [member]
    assert there != here
