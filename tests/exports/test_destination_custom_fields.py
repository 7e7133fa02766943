"""Custom fields of the account: offered, checked against the account, sent under their names."""

from typing import Any

import pytest
import requests

from exports.models import Destination
from segments.models import Attribute, AttributeType
from tests.exports.engine_world import World
from tests.exports.pages import administrator, entered, url, words

TIER, SINCE = "cf:Loyalty_tier", "cf:Customer_since"


@pytest.fixture
def with_fields(shop: World) -> World:
    token = shop.sandbox.tokens()["access_token"]
    for label, kind in (("Loyalty tier", "string"), ("Customer since", "date")):
        made = requests.post(
            f"{shop.sandbox.api_url}/contact_custom_fields",
            json={"label": label, "type": kind},
            headers={"Authorization": f"Bearer {token}"},
            timeout=10,
        )
        assert made.status_code == 201, made.text
    Attribute.objects.create(
        workspace=shop.workspace, name="since", label="Since", type=AttributeType.DATE, position=9
    )
    return shop


def save(world: World, *pairs: tuple[str, str], to: str = "", **changes: Any) -> Any:
    fields = [field for field, _ in pairs]
    attributes = [attribute for _, attribute in pairs]
    return administrator(world.workspace).post(
        to or url("destination_add", world.workspace),
        entered(world, field=fields, attribute=attributes, **changes),
    )


def test_they_are_offered_by_their_labels(with_fields: World) -> None:
    page = administrator(with_fields.workspace).get(
        url("custom_fields", with_fields.workspace), {"connection": with_fields.connection.pk}
    )
    said = page.content.decode()
    assert f'<option value="{SINCE}">Customer since</option>' in said
    assert said.index("Customer since") < said.index("Loyalty tier")


def test_their_values_arrive_under_their_names(with_fields: World) -> None:
    with_fields.add(
        {"email": "a@example.com", "first": "Gold", "since": "2024-02-29"},
        {"email": "b@example.com"},
    )
    assert save(with_fields, (TIER, "first"), (SINCE, "since")).status_code == 302
    with_fields.destination = Destination.objects.get(name="A new export")
    with_fields.run()
    known = with_fields.sandbox.control("contact", email="a@example.com")
    assert known["more"] == {TIER: "Gold", SINCE: "2024-02-29"}
    assert with_fields.sandbox.control("contact", email="b@example.com")["more"] == {}


def test_one_that_the_account_does_not_have_is_refused_since_it_would_vanish_silently(
    with_fields: World,
) -> None:
    page = save(with_fields, ("cf:Shoe_size", "first"))
    assert page.status_code == 422
    assert "no custom field “Shoe_size”" in words(page)
    assert not Destination.objects.filter(name="A new export").exists()


def test_a_date_is_only_fed_by_dates(with_fields: World) -> None:
    page = save(with_fields, (SINCE, "first"))
    assert page.status_code == 422
    assert "Choose an attribute that holds dates" in words(page)


def test_more_than_an_import_takes_are_refused(with_fields: World) -> None:
    page = save(with_fields, *((f"cf:field_{n}", "first") for n in range(26)))
    assert page.status_code == 422
    assert "at most 25 custom fields" in words(page)


def test_an_export_stays_editable_while_the_account_cannot_be_reached(with_fields: World) -> None:
    assert save(with_fields, (TIER, "first")).status_code == 302
    saved = Destination.objects.get(name="A new export")
    with_fields.sandbox.control("fault", kind="server_error", count=50)
    again = url("destination_edit", with_fields.workspace, saved.pk)
    changes = {"name": "Another name", "picked": saved.list_id}
    page = save(with_fields, (TIER, "first"), to=again, **changes)
    assert page.status_code == 302, words(page)
    form = administrator(with_fields.workspace).get(again, {"step": "matching"})
    assert f'<option value="{TIER}" selected>Loyalty tier</option>' in form.content.decode()
