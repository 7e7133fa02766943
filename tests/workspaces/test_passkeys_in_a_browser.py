"""Passkeys in Chromium, with an authenticator of its own: made, signed in with, asked for again."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from playwright.sync_api import expect

from tests.workspaces.factories import PASSWORD, MembershipFactory, grown_stale, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def test_a_passkey_is_made_signs_in_alone_and_after_the_password_and_proves_who_it_is(
    workspace: Any, live_server: Any, browser: Any, settings: Any
) -> None:
    # A passkey belongs to a name, and an address is none.
    settings.ALLOWED_HOSTS = ["localhost"]
    here = live_server.url.replace("127.0.0.1", "localhost")
    user = MembershipFactory(workspace=workspace).user
    client = sign_in(Client(), user)
    context = browser.new_context(base_url=here, locale="en-GB")
    tab = context.new_page()
    faults: list[str] = []
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    cdp = context.new_cdp_session(tab)
    cdp.send("WebAuthn.enable")
    cdp.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})

    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": here}])
    tab.goto("/accounts/security/")
    tab.get_by_role("link", name="Add a passkey").click()
    tab.get_by_label("Name").fill("Laptop")
    tab.get_by_label("Name").press("Enter")
    expect(tab.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert Authenticator.objects.get(user=user, type="webauthn").wrap().name == "Laptop"

    context.clear_cookies()
    tab.goto("/accounts/login/?next=/accounts/name/")
    tab.get_by_role("button", name="Sign in with a passkey").click()
    expect(tab.get_by_role("heading", name="Your name")).to_be_visible()

    context.clear_cookies()
    tab.goto("/accounts/login/")
    tab.get_by_label("E-mail address").fill(user.email)
    tab.get_by_label("Password", exact=True).fill(PASSWORD)
    tab.get_by_role("button", name="Sign in", exact=True).click()
    tab.get_by_role("button", name="Use a passkey").click()
    expect(tab.get_by_role("heading", name="Hello")).to_be_visible()

    client.cookies["sessionid"] = next(
        one["value"] for one in context.cookies() if one["name"] == "sessionid"
    )
    grown_stale(client)
    tab.goto(f"/w/{workspace.slug}/admin/tokens/add/")
    tab.get_by_role("link", name="Use a passkey instead").click()
    tab.get_by_role("button", name="Use a passkey").click()
    expect(tab.get_by_role("group", name="What it is used for")).to_be_visible()
    assert faults == []
