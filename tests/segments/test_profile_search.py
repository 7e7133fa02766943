"""Profiles are found by key, by address and by name, a part of them at a time."""

from typing import Any

import pytest
from django.db import connection
from django.urls import reverse
from django_scopes import scope

from segments import profile_search
from segments.models import Profile
from tests.segments.factories import AttributeFactory, ImportFactory, ProfileFactory, SourceFactory
from tests.workspaces.factories import WorkspaceFactory, signed_in
from workspaces.models import Role, Workspace
from workspaces.prefixes import begins_with

PEOPLE = {
    "A1": ("ada@Engines.example", "Ada", "Lovelace"),
    "A2": ("grace@navy.example", "Grace", "Hopper"),
    "B1": ("nuria@correu.example", "Núria", "Ribó"),
    "B2": ("100%_sure@x.example", "Sure", "Thing"),
}


@pytest.fixture
def people(workspace: Any) -> Any:
    for position, name in enumerate(("email", "first", "last")):
        AttributeFactory(workspace=workspace, name=name, position=position)
    for key, (email, first, last) in PEOPLE.items():
        values = {"email": email, "first": first, "last": last}
        ProfileFactory(workspace=workspace, key=key, attributes=values)
    return workspace


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("A", ["A1", "A2", "B1", "B2"]),
        ("A1", ["A1"]),
        ("ada@engines.example", ["A1"]),
        ("ADA@", ["A1"]),
        ("@navy", ["A2"]),
        ("lovel", ["A1"]),
        ("ada love", ["A1"]),
        ("Lovelace Ada", ["A1"]),
        ("NÚRIA", ["B1"]),
        ("ribó", ["B1"]),
        ("100%_", ["B2"]),
        ("%", ["B2"]),
        ("nobody", []),
        ("a\0da@", ["A1"]),
        ("'; --", []),
        ("x" * 5000, []),
    ],
)
def test_who_is_found(people: Any, text: str, keys: list[str]) -> None:
    found = profile_search.find(people, text)
    assert [one.key for one in found.profiles] == keys
    assert found.after == ""


def all_of(workspace: Any, text: str, most: int) -> tuple[list[str], int]:
    keys, steps, after, looked_at = [], 0, "", 0
    while True:
        found = profile_search.find(workspace, text, after=after, looked_at=looked_at, most=most)
        keys += [one.key for one in found.profiles]
        steps, after, looked_at = steps + 1, found.after, found.looked_at
        assert steps < 100
        if not after:
            return keys, steps


@pytest.mark.parametrize("most", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("chunk", [1, 4, 1000])
def test_page_by_page_everybody_is_found_once(
    workspace: Any, monkeypatch: Any, most: int, chunk: int
) -> None:
    monkeypatch.setattr(profile_search, "CHUNK", chunk)
    AttributeFactory(workspace=workspace, name="first")
    for number in range(9):
        key = f"{'ann' if number % 3 == 0 else 'k'}{number}"
        ProfileFactory(workspace=workspace, key=key, attributes={"first": f"Ann{number % 2}"})
    keys, _steps = all_of(workspace, "ann", most)
    assert len(keys) == len(set(keys)) == 9
    assert keys[:3] == ["ann0", "ann3", "ann6"]
    assert all_of(workspace, "", most)[0] == sorted(keys)


def test_a_search_that_takes_long_goes_on_from_where_it_was(people: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(profile_search, "CHUNK", 1)
    monkeypatch.setattr(profile_search, "SECONDS", 0)
    client = signed_in(people, Role.VIEWER)
    at = reverse("segments:profile_list", args=[people.slug])
    assert all_of(people, "thing", 50) == (["B2"], 5)
    page = client.get(at, {"q": "hopper"}).content.decode()
    assert "Looked at 1 profiles so far" in page
    onward = page.split('hx-get="?')[1].split('"')[0].replace("&amp;", "&")
    part = client.get(f"{at}?{onward}", headers={"HX-Request": "true", "HX-Target": "search-on-1"})
    assert "<html" not in part.content.decode()
    assert "Hopper" in part.content.decode()
    without_htmx = client.get(f"{at}?{onward}").content.decode()
    assert "<html" in without_htmx
    assert "Hopper" in without_htmx


def test_another_workspaces_profiles_are_not_found(people: Any) -> None:
    other = WorkspaceFactory()
    with scope(workspace=other):
        AttributeFactory(workspace=other, name="first")
        ProfileFactory(workspace=other, key="Z", attributes={"first": "Ada"})
        assert [one.key for one in profile_search.find(other, "ada").profiles] == ["Z"]
    assert [one.key for one in profile_search.find(people, "ada").profiles] == ["A1"]


def test_a_profiles_page_says_where_each_value_came_from(people: Any) -> None:
    from segments.models import Attribute, Profile

    source = SourceFactory(workspace=people, name="Web shop")
    ImportFactory(source=source, finished_at="2026-03-01T10:00Z")
    Attribute.objects.filter(name="first").update(source=source)
    profile = Profile.objects.get(key="A1")
    at = reverse("segments:profile_detail", args=[people.slug, profile.pk])
    page = signed_in(people, Role.VIEWER).get(at).content.decode()
    assert "Web shop" in page
    assert "loaded" in page
    assert "its source was removed" in page
    assert "Erase this person" not in page
    assert "Erase this person" in signed_in(people).get(at).content.decode()


def test_a_key_is_found_by_its_index_behind_row_level_security_too(workspace: Workspace) -> None:
    ProfileFactory(workspace=workspace, key="k1")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
    plan = Profile.objects.filter(begins_with("key", "k")).order_by("key").explain()
    (looked_for,) = [line for line in plan.splitlines() if "Index Cond" in line]
    assert ">= 'k'" in looked_for


def next_of(html: str) -> str:
    return html.split('" rel="next"')[0].rsplit('href="', 1)[1].replace("&amp;", "&")


def test_the_attributes_shown_are_chosen_and_stay_from_page_to_page(
    people: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(profile_search, "PAGE", 2)
    client = signed_in(people, Role.VIEWER)
    at = reverse("segments:profile_list", args=[people.slug])
    page = client.get(at, {"columns": ["last"]})
    html = page.content.decode()
    assert page.context["profile_header"] == ["Last"]
    assert "Lovelace" in html
    assert "ada@Engines.example" not in html
    assert 'rel="prev"' not in html
    onward = next_of(html)
    following = client.get(at + onward)
    assert following.context["profile_header"] == ["Last"]
    assert 'href="?columns=last" rel="prev"' in following.content.decode()
    assert len(client.get(at).context["profile_header"]) == 3
