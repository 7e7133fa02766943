"""Every URL under /w/SLUG/, of whatever app: closed to strangers, whatever it names."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, resolve, reverse

from tests.workspaces.factories import MembershipFactory, UserFactory, WorkspaceFactory, sign_in
from workspaces.models import Role
from workspaces.permissions import may

pytestmark = pytest.mark.usefixtures("bare_refusals")

SAMPLES = {
    # Nobody's id: the first ones are those of whoever runs first.
    "int": 2_000_000_000,
    "str": "sample",
    "slug": "sample",
    "path": "sample",
    "uuid": "00000000-0000-0000-0000-000000000000",
}
METHODS = ["get", "post"]


def under_workspaces() -> Iterator[tuple[str, list[Any]]]:
    """The name of each URL under /w/SLUG/ and the converters of its other arguments."""
    yield from _walk(get_resolver().url_patterns, "", [], {})


def _walk(
    patterns: list[Any], route: str, namespaces: list[str], converters: dict[str, Any]
) -> Iterator[tuple[str, list[Any]]]:
    for pattern in patterns:
        here = route + str(pattern.pattern)
        known = converters | pattern.pattern.converters
        if isinstance(pattern, URLResolver):
            inner = namespaces + ([pattern.namespace] if pattern.namespace else [])
            yield from _walk(pattern.url_patterns, here, inner, known)
        elif isinstance(pattern, URLPattern) and here.startswith("w/<slug:slug>/"):
            assert pattern.name, f"{here} has no name"
            others = [name for name in known if name != "slug"]
            yield (
                ":".join([*namespaces, pattern.name]),
                [(name, SAMPLES[_kind(known[name])]) for name in others],
            )


def _kind(converter: Any) -> str:
    return type(converter).__name__.removesuffix("Converter").lower().replace("string", "str")


def urls(slug: str) -> list[str]:
    found = []
    for name, arguments in under_workspaces():
        try:
            found.append(reverse(name, kwargs={"slug": slug, **dict(arguments)}))
        except NoReverseMatch:
            pytest.fail(f"{name} can't be reversed with {arguments}")
    return found


def test_there_are_such_urls() -> None:
    assert "/w/sample/" in urls("sample")
    assert len(urls("sample")) >= 12


@pytest.mark.parametrize("method", METHODS)
def test_who_is_not_signed_in_is_sent_to_sign_in(db: None, method: str) -> None:
    client = Client()
    workspace = WorkspaceFactory()
    for url in urls(workspace.slug):
        answer = getattr(client, method)(url)
        assert (answer.status_code, answer.get("Location", "")) == (
            302,
            f"{reverse('account_login')}?next={url}",
        ), url


@pytest.mark.parametrize("method", METHODS)
def test_for_who_is_not_a_member_it_does_not_exist(db: None, method: str) -> None:
    client = sign_in(Client(), UserFactory())
    MembershipFactory(user=UserFactory())
    workspace = WorkspaceFactory()
    for url in urls(workspace.slug):
        assert getattr(client, method)(url).status_code == 404, url


def test_a_workspace_that_never_was_looks_the_same_as_one_of_others(db: None) -> None:
    client = sign_in(Client(), UserFactory())
    for url in urls("never-was"):
        assert client.get(url).status_code == 404, url


@pytest.mark.parametrize("role", Role.values)
def test_a_url_that_names_no_object_of_the_workspace_is_never_an_error(db: None, role: str) -> None:
    """Ids that are nobody's: 404, 403 or 405, or a page that needs no object; never a 500.

    And never a page, nor a deed, that the rules keep from the role.
    """
    member = MembershipFactory(role=role)
    client = sign_in(Client(raise_request_exception=False), member.user)
    for name, arguments in under_workspaces():
        url = reverse(name, kwargs={"slug": member.workspace.slug, **dict(arguments)})
        status = client.get(url).status_code
        allowed = (403, 404, 405) if arguments else (200, 302, 403, 404, 405)
        assert status in allowed, f"{url}: {status}"
        action = getattr(resolve(url).func, "action", None)
        if action is None:
            continue
        if may(member, action):
            assert status != 403, f"{url}: {action}"
        elif status == 405:
            assert client.post(url).status_code in (403, 405), f"{url}: {action}"
        else:
            assert status == 403, f"{url}: {action}"


def test_a_fragment_sends_the_whole_page_to_sign_in(db: None) -> None:
    workspace = WorkspaceFactory()
    page = reverse("workspaces:schedule", args=[workspace.slug])
    answer = Client().get(
        reverse("workspaces:refreshes", args=[workspace.slug]),
        headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver{page}"},
    )
    assert answer["HX-Redirect"] == f"{reverse('account_login')}?next={page}"
