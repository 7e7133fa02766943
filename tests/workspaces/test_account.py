"""Signing up, in and out; confirming an address; a forgotten password; as a person does it."""

import re
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.workspaces.factories import (
    PASSWORD,
    MembershipFactory,
    UserFactory,
    WorkspaceFactory,
    sign_in,
)
from workspaces.models import User

EMAIL = "nuria@example.org"


def link() -> str:
    """The path in the newest e-mail."""
    return re.search(r"http://testserver(/accounts/\S+)", mail.outbox[-1].body)[1]


def sign_up(client: Client, email: str = EMAIL) -> Any:
    form = {"email": email, "password1": PASSWORD}
    return client.post(reverse("account_signup"), form, follow=True)


def test_a_new_person_signs_up_confirms_signs_in_and_makes_a_workspace(db: None) -> None:
    client = Client()
    assert "Look in your inbox" in sign_up(client).content.decode()
    (message,) = mail.outbox
    assert message.subject == "Welcome to Segue: confirm your e-mail address"
    assert link() in message.alternatives[0][0]

    assert "Yes, confirm it" in client.get(link()).content.decode()
    client.post(link())
    signed_in = client.post(
        reverse("account_login"), {"login": EMAIL, "password": PASSWORD}, follow=True
    )
    assert "Make your workspace" in signed_in.content.decode()

    made = client.post(
        reverse("workspaces:create"),
        {"name": "Botiga Núria", "time_zone": "Europe/Madrid"},
        follow=True,
    )
    assert made.redirect_chain[-1][0] == "/w/botiga-nuria/"
    assert "Botiga Núria" in made.content.decode()


def test_an_address_that_is_not_confirmed_does_not_sign_in(db: None) -> None:
    client = Client()
    sign_up(client)
    answer = Client().post(reverse("account_login"), {"login": EMAIL, "password": PASSWORD})
    assert answer.url == reverse("account_email_verification_sent")
    assert not User.objects.get(email=EMAIL).last_login


def test_signing_up_twice_tells_the_browser_nothing_and_the_inbox_everything(db: None) -> None:
    UserFactory(email=EMAIL)
    known = sign_up(Client()).content.decode()
    unknown = sign_up(Client(), "nobody@example.org").content.decode()
    what_differs = r"[A-Za-z0-9]{64}|\w+@example.org"
    assert re.sub(what_differs, "", known) == re.sub(what_differs, "", unknown)
    assert mail.outbox[0].to == [EMAIL]
    assert mail.outbox[0].subject == "You already have a Segue account"


def test_a_wrong_password_does_not_say_whether_the_account_exists(db: None) -> None:
    UserFactory(email=EMAIL)
    answers = [
        Client().post(reverse("account_login"), {"login": email, "password": "wrong"})
        for email in (EMAIL, "nobody@example.org")
    ]
    errors = [answer.context["form"].non_field_errors() for answer in answers]
    assert errors[0] == errors[1]
    assert errors[0]


def test_a_forgotten_password_is_set_anew(db: None) -> None:
    UserFactory(email=EMAIL)
    client = Client()
    page = client.post(reverse("account_reset_password"), {"email": EMAIL}, follow=True)
    assert "Look in your inbox" in page.content.decode()
    assert link() in mail.outbox[-1].alternatives[0][0]

    form = client.get(link(), follow=True)
    new_password = "another quiet harbour"
    done = client.post(
        form.redirect_chain[-1][0],
        {"password1": new_password, "password2": new_password},
        follow=True,
    )
    assert "Your password is set" in done.content.decode()
    assert mail.outbox[-1].subject == "Your password has been reset"
    assert Client().login(email=EMAIL, password=new_password)

    assert "This link no longer works" in Client().get(link_before(), follow=True).content.decode()


def link_before() -> str:
    return re.search(r"http://testserver(/accounts/\S+)", mail.outbox[-2].body)[1]


def test_a_reset_for_an_unknown_address_looks_the_same_and_says_so_by_email(db: None) -> None:
    UserFactory(email=EMAIL)
    pages = [
        Client().post(reverse("account_reset_password"), {"email": email}, follow=True)
        for email in (EMAIL, "nobody@example.org")
    ]
    assert pages[0].redirect_chain == pages[1].redirect_chain
    assert mail.outbox[1].subject == "You have no Segue account with this address"


def test_the_password_is_changed_when_the_old_one_is_known(db: None) -> None:
    user = UserFactory(email=EMAIL)
    client = sign_in(Client(), user)
    change = reverse("account_change_password")
    wrong = {"oldpassword": "wrong", "password1": "a new harbour", "password2": "a new harbour"}
    assert "aria-invalid" in client.post(change, wrong).content.decode()
    client.post(change, wrong | {"oldpassword": PASSWORD})
    assert Client().login(email=EMAIL, password="a new harbour")
    assert mail.outbox[-1].subject == "Your password has been changed"


def test_signing_out(db: None) -> None:
    client = sign_in(Client(), UserFactory())
    assert client.post(reverse("account_logout")).url == reverse("account_login")
    assert client.get("/").url.startswith(reverse("account_login"))


def test_a_second_address_is_added_confirmed_and_made_the_main_one(db: None) -> None:
    user = UserFactory(email=EMAIL)
    client = sign_in(Client(), user)
    addresses = reverse("account_email")
    client.post(addresses, {"action_add": "", "email": "n@example.net"})
    client.post(link())
    client.post(addresses, {"action_primary": "", "email": "n@example.net"})
    user.refresh_from_db()
    assert user.email == "n@example.net"
    page = client.get(addresses).content.decode()
    assert EMAIL in page


def test_proving_who_one_is_again(db: None) -> None:
    user = UserFactory()
    client = Client()
    client.force_login(user)
    again = reverse("account_reauthenticate")
    assert user.email in client.get(again).content.decode()
    assert client.post(f"{again}?next=/", {"password": PASSWORD, "next": "/"}).url == "/"


def test_the_way_in_leads_to_the_workspace_used_last(db: None) -> None:
    user = UserFactory()
    first, second = (MembershipFactory(user=user).workspace for _number in range(2))
    client = sign_in(Client(), user)
    assert client.get("/").url == first.get_absolute_url()
    client.get(second.get_absolute_url())
    assert client.get("/").url == second.get_absolute_url()
    page = client.get(first.get_absolute_url()).content.decode()
    assert second.get_absolute_url() in page, "the switcher offers the other one"


def memberships_asked(captured: CaptureQueriesContext) -> list[str]:
    """Those that ask for workspaces by somebody's membership."""
    start = 'FROM "workspaces_membership" INNER JOIN "workspaces_workspace"'
    return [one["sql"] for one in captured.captured_queries if start in one["sql"]]


def test_whoever_is_in_very_many_workspaces_waits_for_no_more_than_others(db: None) -> None:
    member: Any = MembershipFactory(workspace=WorkspaceFactory(name="Zebra", slug="zebra"))
    for number in range(40):
        workspace = WorkspaceFactory(name=f"Client {number:02}", slug=f"client-{number:02}")
        MembershipFactory(workspace=workspace, user=member.user)
    client = sign_in(Client(), member.user)
    url = member.workspace.get_absolute_url()
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        page = client.get(url).content.decode()
    (asked,) = memberships_asked(captured)
    assert asked.endswith("LIMIT 13")
    assert 'href="/w/zebra/" aria-current="true"' in page
    assert len(set(re.findall(r'href="/w/(client-\d+)/"', page))) == 11
    assert f'href="{reverse("workspaces:mine")}"' in page
    with CaptureQueriesContext(connection) as captured:
        client.get(reverse("exports:home_runs", args=["zebra"]), headers={"HX-Request": "true"})
    (asked,) = memberships_asked(captured)
    assert asked.endswith("LIMIT 1"), "a part of a page shows no others"
    everywhere = client.get(reverse("workspaces:mine")).content.decode()
    assert 'href="/w/client-39/"' in everywhere
    found = client.get(reverse("workspaces:mine"), {"q": "CLIENT 1"}).content.decode()
    listed = found[found.index("<main") :]
    assert re.findall(r'href="/w/([^"]+)/"', listed) == [f"client-1{n}" for n in range(10)]
    assert client.get("/").url == "/w/zebra/", "as it was left"  # type: ignore[attr-defined]
    assert client.get("/w/nobodys/").status_code == 404


def test_two_workspaces_of_the_same_name_have_addresses_of_their_own(db: None) -> None:
    client = sign_in(Client(), UserFactory())
    form = {"name": "Botiga", "time_zone": "UTC"}
    urls = [client.post(reverse("workspaces:create"), form).url for _number in range(3)]
    assert urls == ["/w/botiga/", "/w/botiga-2/", "/w/botiga-3/"]


def test_a_name_given_is_what_others_see(db: None) -> None:
    user = UserFactory()
    client = sign_in(Client(), user)
    client.post(reverse("workspaces:profile"), {"first_name": "Núria", "last_name": "Soler"})
    user.refresh_from_db()
    assert str(user) == "Núria Soler"


@pytest.mark.parametrize(
    "name", ["account_login", "account_signup", "account_reset_password", "account_logout"]
)
def test_the_pages_of_the_account_are_in_the_products_look(db: None, name: str) -> None:
    client = sign_in(Client(), UserFactory()) if name == "account_logout" else Client()
    page = client.get(reverse(name)).content.decode()
    assert "segue.css" in page
    assert 'class="card focused-card"' in page
    assert "placeholder=" not in page
