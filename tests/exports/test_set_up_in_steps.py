"""Setting an export up goes step by step: back, forth and away without losing what was entered."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache

from exports.models import Destination
from exports.steps import FIELDS, Step
from segments.models import Attribute
from tests.exports.engine_world import World
from tests.exports.pages import administrator, url, words


class Way:
    """One person's way through the steps of one set-up, as the browser goes it."""

    def __init__(self, world: World, where: str) -> None:
        self.world, self.where = world, where
        self.client = administrator(world.workspace)
        self.page = self.client.get(where)

    @property
    def step(self) -> str:
        return str(self.page.context["step"])

    @property
    def form(self) -> Any:
        return self.page.context["form"]

    def send(self, to: str | None = None, **filled_in: Any) -> Any:
        """Sends what the step has, and goes on as the browser does."""
        form, step = self.form, self.page.context["step"]
        shown = {name: form[name].value() for name in FIELDS[step] if name in form.fields}
        if step == Step.MATCHING:
            shown |= {"field": [row.target for row in form.rows]}
            shown |= {"attribute": [row.attribute for row in form.rows]}
        sent = {name: value for name, value in (shown | filled_in).items() if value is not None}
        sent |= {
            "draft": self.page.context["draft"],
            "step": step,
            "seen": form["seen"].value() or "",
        }
        self.page = self.client.post(self.where, sent | ({"to": to} if to else {}), follow=True)
        return self.page

    def go_back_to(self, step: str) -> None:
        """By the browser: the same address again."""
        self.page = self.client.get(self.where, {"draft": self.page.context["draft"], "step": step})


@pytest.fixture
def way(shop: World) -> Way:
    shop.add_people(2)
    return Way(shop, url("destination_add", shop.workspace))


def through_all_steps(way: Way) -> None:
    way.send("matching", name="Letters", picked=way.world.sandbox.lists()["Events"])
    way.send("segments", field=["last_name"], attribute=["last"])
    way.send("preview", segments=[str(way.world.segment.pk)], mode="add")


def test_the_steps_lead_from_the_connection_to_a_preview_and_nothing_is_saved_before_the_end(
    way: Way,
) -> None:
    assert way.step == "where"
    through_all_steps(way)
    assert way.step == "preview"
    said = words(way.page)
    for part in ("Letters", "Newsletter account", "Last name", "Leave them on the list"):
        assert part in said
    assert not Destination.objects.filter(name="Letters").exists()
    previewed = way.client.post(
        url("preview", way.world.workspace),
        {"draft": way.page.context["draft"], "step": "preview"},
    )
    assert previewed.context["preview"].sent == 2
    way.send()
    saved = Destination.objects.get(name="Letters")
    assert saved.list_name == "Events"
    assert saved.matching == {"email": "email", "last_name": "last"}
    assert (saved.mode, [*saved.segments.all()]) == ("add", [way.world.segment])


def test_that_saving_sends_nothing_is_said_where_one_can_save(way: Way) -> None:
    assert "Saving sends nothing." not in words(way.page)
    assert "Name of the new list optional" not in words(way.page), "where it is chosen it is not"
    through_all_steps(way)
    assert "Saving sends nothing." in words(way.page)


def test_going_back_finds_what_was_entered_by_the_list_of_steps_and_by_the_browser(
    way: Way,
) -> None:
    through_all_steps(way)
    way.go_back_to("matching")
    assert [(row.target, row.attribute) for row in way.form.rows] == [("last_name", "last")]
    # What is half filled in is kept as well, on the way back.
    way.send("where", field=["last_name", "city"], attribute=["last", ""])
    assert (way.step, way.form["name"].value()) == ("where", "Letters")
    way.go_back_to("matching")
    assert [row.target for row in way.form.rows] == ["last_name", "city"]
    way.go_back_to("segments")
    assert way.form["segments"].value() == [str(way.world.segment.pk)]
    assert way.form["mode"].value() == "add"


def test_what_is_typed_is_kept_before_it_is_sent(way: Way) -> None:
    way.send(keep="yes", name="Half a na")
    assert (way.page.status_code, way.page.content) == (204, b"")
    fresh = Way(way.world, way.where)
    assert not fresh.form["name"].value()


def test_it_is_kept_through_a_new_sign_in_and_for_nobody_else(way: Way) -> None:
    through_all_steps(way)
    draft = way.page.context["draft"]
    way.client.logout()
    there = f"{way.where}?draft={draft}&step=where"
    answer = way.client.post(there, {"draft": draft, "step": "where", "to": "matching"})
    assert parse_qs(urlsplit(answer.url).query)["next"] == [there]
    way.client.force_login(way.client.member.user)  # type: ignore[attr-defined]
    assert way.client.get(there).context["form"]["name"].value() == "Letters"
    other = administrator(way.world.workspace).get(there)
    assert not other.context["form"]["name"].value()


@pytest.mark.parametrize(
    ("where", "filled_in", "to", "lands", "said"),
    [
        ("where", {"name": ""}, "matching", "where", "Give the export a name."),
        ("where", {"name": "Newsletter"}, "preview", "where", "already is an export called"),
        ("matching", {"email": ""}, "segments", "matching", "Choose the attribute that holds"),
        ("matching", {"field": ["city"], "attribute": [""]}, "preview", "matching", "feeds City"),
        ("segments", {"segments": []}, "preview", "segments", "Select at least one segment."),
        ("segments", {"segments": ["404"]}, "preview", "segments", "A segment selected before"),
    ],
)
def test_what_is_wrong_is_shown_on_its_own_step(
    way: Way, where: str, filled_in: dict[str, Any], to: str, lands: str, said: str
) -> None:
    through_all_steps(way)
    way.go_back_to(where)
    way.send(to, **filled_in)
    assert (way.page.status_code, way.step) == (422, lands)
    assert said in words(way.page)
    assert 'aria-invalid="true"' in way.page.content.decode()


def test_one_goes_back_whatever_is_wrong(way: Way) -> None:
    through_all_steps(way)
    way.go_back_to("segments")
    way.send("matching", segments=[])
    assert (way.page.status_code, way.step) == (200, "matching")


def test_what_goes_wrong_at_the_end_leads_to_the_step_where_it_is_mended(way: Way) -> None:
    through_all_steps(way)
    Attribute.objects.filter(name="last").delete()
    way.send()
    assert (way.page.status_code, way.step) == (422, "matching")
    way.send("segments", field=[], attribute=[])
    way.send("preview")
    way.world.sandbox.control("fault", kind="server_error", count=4, route="contact_lists")
    way.send()
    assert (way.page.status_code, way.step) == (422, "where")
    assert "Constant Contact can’t be reached" in words(way.page)
    way.send()
    assert Destination.objects.filter(name="Letters").exists()


def test_an_export_is_changed_on_any_step_and_saved_from_there(shop: World) -> None:
    way = Way(shop, url("destination_edit", shop.workspace, shop.destination.pk))
    way.page = way.client.get(way.where, {"step": "segments"})
    way.send(mode="add")
    shop.destination.refresh_from_db()
    assert (shop.destination.mode, shop.destination.name) == ("add", "Newsletter")


def test_what_is_kept_no_longer_is_told_and_the_step_just_sent_is_not_lost(way: Way) -> None:
    way.send("matching", name="Letters", picked=way.world.sandbox.lists()["Events"])
    cache.clear()
    way.send("segments", field=["last_name"], attribute=["last"])
    assert (way.page.status_code, way.step) == (410, "where")
    assert "no longer there" in words(way.page)
    way.send("matching", name="Letters", picked=way.world.sandbox.lists()["Events"])
    assert [(row.target, row.attribute) for row in way.form.rows] == [("last_name", "last")]


def test_after_saving_going_back_starts_anew_and_says_so(way: Way) -> None:
    through_all_steps(way)
    draft = way.page.context["draft"]
    way.send()
    again = way.client.get(way.where, {"draft": draft, "step": "preview"})
    assert (again.status_code, str(again.context["step"])) == (200, "where")
    assert "no longer there" in words(again)
