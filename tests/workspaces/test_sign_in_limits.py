"""Who guesses is slowed down, and learns from no answer whether an account exists."""

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from django.urls import reverse

from config import cipher
from tests.workspaces.factories import PASSWORD, UserFactory, sign_in

LOGIN, SIGNUP = reverse("account_login"), reverse("account_signup")
RESET, PROVE = reverse("account_reset_password"), reverse("account_reauthenticate")
WHAT_DIFFERS = re.compile(r"[A-Za-z0-9]{64}|[\w.]+@example.org|[0-9a-f]{32}")


def wrong(client: Client, email: str) -> Any:
    return client.post(LOGIN, {"login": email, "password": "wrong"})


def alike(answer: Any) -> tuple[int, str, str]:
    """What of an answer can be seen, but for what was typed and what is new each time."""
    page = WHAT_DIFFERS.sub("", answer.content.decode())
    return answer.status_code, answer.get("Location", ""), page


def test_passwords_are_tried_five_times_whether_the_account_exists_or_not(db: None) -> None:
    UserFactory(email="known@example.org")
    for email, address in (("known@example.org", "203.0.113.1"), ("x@example.org", "203.0.113.2")):
        answers = [wrong(Client(REMOTE_ADDR=address), email) for _number in range(6)]
        errors = [str(one.context["form"].non_field_errors()) for one in answers]
        assert errors[0] == errors[4] != errors[5]
        assert "Too many" in errors[5]
    right = Client().post(LOGIN, {"login": "known@example.org", "password": PASSWORD})
    assert right.status_code == 200, "the right one neither, for five minutes"


def test_an_address_of_the_network_is_slowed_down_too(db: None) -> None:
    answers = [wrong(Client(), f"person{number}@example.org") for number in range(31)]
    assert answers[29].status_code == 200
    assert answers[30].status_code == 429
    assert "Wait five minutes" in answers[30].content.decode()
    other = Client(REMOTE_ADDR="203.0.113.9")
    assert wrong(other, "person@example.org").status_code == 200


def test_signing_up_and_resetting_are_slowed_down(db: None) -> None:
    def sign_up(number: int) -> int:
        form = {"email": f"p{number}@example.org", "password1": "x"}
        return Client().post(SIGNUP, form).status_code

    assert [sign_up(number) for number in range(21)][-2:] == [200, 429]
    for email in ("p@example.org", "q@example.org"):
        statuses = [Client().post(RESET, {"email": email}).status_code for _number in range(6)]
        assert statuses == [302] * 5 + [429]


def test_second_steps_and_proofs_are_slowed_down(db: None) -> None:
    user = UserFactory()
    data = {"secret": cipher.encrypt("A" * 32).decode()}
    Authenticator.objects.create(user=user, type="totp", data=data)
    texts = []
    for _number in range(6):
        client = Client()
        client.post(LOGIN, {"login": user.email, "password": PASSWORD})
        answer = client.post(reverse("mfa_authenticate"), {"code": "123456"})
        texts.append(str(answer.context["form"].errors))
    assert "That is not right" in texts[4]
    assert "Too many" in texts[5], "with a new session each time"
    client = sign_in(Client(), UserFactory())
    statuses = [client.post(PROVE, {"password": "wrong"}).status_code for _number in range(11)]
    assert statuses[-2:] == [200, 429]
    keys = reverse("mfa_login_webauthn")
    statuses = [Client().post(keys, {"credential": "{}"}).status_code for _number in range(11)]
    assert statuses[-2:] == [302, 429]


@pytest.mark.parametrize(
    ("url", "field", "more"),
    [
        (LOGIN, "login", {"password": "wrong"}),
        (SIGNUP, "email", {"password1": PASSWORD}),
        (RESET, "email", {}),
    ],
    ids=["sign-in", "sign-up", "reset"],
)
def test_no_answer_tells_whether_the_account_exists(
    db: None, url: str, field: str, more: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    UserFactory(email="known@example.org")
    UserFactory(email="locked@example.org", is_active=False)
    hashed = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(
        MD5PasswordHasher, "encode", lambda *given: hashed.append(1) or encode(*given)
    )
    seen = {}
    for who in ("known", "locked", "nobody"):
        hashed.clear()
        client = Client()
        answer = client.post(url, {field: f"{who}@example.org"} | more)
        followed = client.get(answer.url) if answer.status_code == 302 else answer
        seen[who] = (alike(answer), alike(followed), len(hashed), sorted(client.cookies))
    assert seen["known"] == seen["nobody"] == seen["locked"]
