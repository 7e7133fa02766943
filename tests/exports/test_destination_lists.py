"""The list of an export: picked, pasted or made, and verified to be there before saving."""

from typing import Any

import pytest
import requests

from connections.models import Connection
from exports.lists import ListProblem, id_in
from exports.models import Destination
from tests.exports.engine_world import World
from tests.exports.pages import administrator, contributor, entered, url, words
from workspaces.models import Membership, Role

UNKNOWN = "deadbeef-0000-1111-2222-333344445555"


def pick(world: World, by: Any = administrator, **query: Any) -> Any:
    return by(world.workspace).get(
        url("list_picker", world.workspace), {"connection": world.connection.pk, **query}
    )


def save(world: World, **changes: Any) -> Any:
    return administrator(world.workspace).post(
        url("destination_add", world.workspace), entered(world, **changes)
    )


def test_the_accounts_lists_are_offered_with_their_sizes(shop: World) -> None:
    shop.sandbox.control("seed", contacts=[{"email": "a@example.com"}], list_id=shop.list_id)
    page = pick(shop)
    assert [(one.name, one.members) for one in page.context["lists"]] == [
        ("Customers", 0),
        ("Events", 0),
        ("Newsletter", 1),
    ]
    assert "1 contact" in words(page)


def test_looking_again_within_a_minute_costs_no_request_and_asking_anew_does(
    shop: World,
) -> None:
    pick(shop)
    shop.sandbox.control("add_lists", count=1)
    shop.sandbox.control("forget_statistics")
    assert len(pick(shop).context["lists"]) == 3
    assert not shop.sandbox.control("statistics")["requests"]
    assert len(pick(shop, fresh=1).context["lists"]) == 4
    assert sum(shop.sandbox.control("statistics")["requests"].values()) == 1


def test_an_account_with_many_lists_shows_them_all(shop: World) -> None:
    shop.sandbox.control("add_lists", count=700)
    assert len(pick(shop).context["lists"]) == 703


def test_a_list_chosen_before_that_is_not_in_the_account_is_pointed_out(shop: World) -> None:
    page = pick(shop, picked=UNKNOWN)
    assert "is not in the account Harbour Books" in words(page)
    # Loading them anew does not take the word away.
    assert f"?fresh=1&amp;picked={UNKNOWN}" in page.content.decode()


@pytest.mark.parametrize(
    "text",
    [
        "{id}",
        "  {id}\n",
        "{upper}",
        "https://app.constantcontact.com/pages/contacts/ui#lists/{id}",
        "https://app.constantcontact.com/contacts?list={id}&sort=name&again={id}",
    ],
)
def test_the_id_is_found_in_what_is_pasted(text: str) -> None:
    known = "a1b2c3d4-0000-11ee-8000-fa163e000001"
    assert id_in(text.format(id=known, upper=known.upper())) == known


@pytest.mark.parametrize(
    "text", ["Newsletter", "1234", f"{UNKNOWN} {UNKNOWN.replace(chr(48), chr(57))}"]
)
def test_what_holds_no_single_id_is_refused(text: str) -> None:
    with pytest.raises(ListProblem):
        id_in(text)


def test_a_pasted_address_of_a_list_is_verified_and_named(shop: World) -> None:
    events = shop.sandbox.lists()["Events"]
    answer = save(shop, way="paste", pasted=f"https://app.constantcontact.com/lists/{events}")
    assert answer.status_code == 302
    saved = Destination.objects.get(name="A new export")
    assert (saved.list_id, saved.list_name) == (events, "Events")


@pytest.mark.parametrize("where", [{"way": "paste", "pasted": UNKNOWN}, {"picked": UNKNOWN}])
def test_a_list_that_the_account_does_not_have_is_refused(
    shop: World, where: dict[str, str]
) -> None:
    page = save(shop, **where)
    assert page.status_code == 422
    assert "The account Harbour Books has no such list." in words(page)
    assert Destination.objects.count() == 1


def test_a_list_of_another_account_is_refused(shop: World) -> None:
    other = shop.sandbox.control("accounts")[1]["lists"]["Season passes"]
    page = save(shop, way="paste", pasted=other)
    assert page.status_code == 422
    assert "It may belong to another account" in words(page)


def test_a_deleted_list_is_refused(shop: World) -> None:
    events = shop.sandbox.lists()["Events"]
    token = shop.sandbox.tokens()["access_token"]
    deleted = requests.delete(
        f"{shop.sandbox.api_url}/contact_lists/{events}",
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )
    assert deleted.status_code == 202
    page = save(shop, way="paste", pasted=events)
    assert page.status_code == 422
    assert "deleted" in words(page)
    assert Destination.objects.count() == 1


def test_a_new_list_is_made_on_saving_and_not_before(shop: World) -> None:
    client = administrator(shop.workspace)
    made = entered(shop, way="make", made="Autumn letters")
    client.post(url("preview", shop.workspace), made)
    client.post(url("destination_add", shop.workspace), made | {"name": ""})
    assert "Autumn letters" not in shop.sandbox.lists()
    client.post(url("destination_add", shop.workspace), made)
    saved = Destination.objects.get(name="A new export")
    assert saved.list_id == shop.sandbox.lists()["Autumn letters"]


def test_a_list_name_that_is_taken_is_said_so(shop: World) -> None:
    page = save(shop, way="make", made="Events")
    assert page.status_code == 422
    assert "already has a list called “Events”" in words(page)


@pytest.mark.parametrize("kind", ["server_error", "html_error", "cut_before", "cut_after"])
def test_when_the_account_cannot_be_reached_nothing_entered_is_lost(shop: World, kind: str) -> None:
    shop.sandbox.control("fault", kind=kind, count=4, route="contact_lists")
    page = save(shop)
    assert page.status_code == 422
    assert "Nothing you entered is lost" in words(page)
    form = page.context["form"]
    assert form["name"].value() == "A new export"
    assert form["picked"].value() == shop.sandbox.lists()["Events"]
    assert Destination.objects.count() == 1
    assert save(shop).status_code == 302


def test_the_picker_says_what_is_wrong_and_offers_to_try_again(shop: World) -> None:
    shop.sandbox.control("fault", kind="server_error", count=4, route="contact_lists")
    page = pick(shop, picked=shop.list_id)
    assert "Constant Contact can’t be reached" in words(page)
    assert "Try again Open the connection" in words(page)
    assert f'value="{shop.list_id}"' in page.content.decode()
    shop.sandbox.control("fault", kind="server_error", count=4, route="contact_lists")
    theirs = words(pick(shop, by=contributor))
    assert "Try again" in theirs
    assert "Open the connection" not in theirs, "only Administrators see it"
    assert len(pick(shop).context["lists"]) == 3


def test_a_connection_that_may_not_be_used_says_why(shop: World) -> None:
    Connection.objects.filter(pk=shop.connection.pk).update(export_user=None)
    assert "has no export user" in words(pick(shop))
    page = save(shop)
    assert page.status_code == 422
    assert "has no export user" in words(page)


def test_the_days_requests_being_spent_is_said_as_such(shop: World) -> None:
    shop.sandbox.control("fault", kind="quota_exceeded", count=1, route="contact_lists")
    assert "Today’s requests to Constant Contact are used up" in words(save(shop))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_known", [False, True])
def test_who_can_sign_in_again_is_told_to_and_others_whom_to_ask(
    shop: World, is_known: bool
) -> None:
    shop.connection.sharing = Connection.Sharing.CONTRIBUTORS
    if is_known:
        shop.connection.state = Connection.State.NEEDS_SIGN_IN
    shop.connection.save()
    shop.sandbox.control("revoke")
    told = pick(shop, fresh=1)
    assert "Open the connection and sign in to it again" in words(told)
    assert "Ask an Administrator" not in words(told)
    told = words(pick(shop, contributor, fresh=1))
    names = [str(one.user) for one in Membership.objects.filter(role=Role.ADMINISTRATOR)]
    assert "Ask an Administrator to sign in to it again: " in told
    assert all(name in told for name in names)
    assert "Open the connection" not in told
