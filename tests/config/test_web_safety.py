"""What a browser is told, and what a hostile link or page can't do."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.workspaces.factories import PASSWORD, MembershipFactory, sign_in
from workspaces.models import Membership

HEADERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
ELSEWHERE = ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]


@pytest.fixture
def member(db: None) -> Membership:
    return MembershipFactory()


def test_every_kind_of_answer_keeps_frames_sniffers_openers_and_devices_out(
    member: Membership,
) -> None:
    client = sign_in(Client(), member.user)
    home = member.workspace.get_absolute_url()
    answers = {
        200: client.get(home),
        302: Client().get(home),
        404: client.get("/nothing/here/"),
        405: client.get(reverse("workspaces:refresh_now", args=[member.workspace.slug])),
        401: Client().get("/api/v1/token"),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        for name, value in HEADERS.items():
            assert answer[name] == value, (status, name)
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "camera=()" in answer["Permissions-Policy"]


def test_another_host_gets_no_page_and_is_in_no_link(member: Membership, mailoutbox: list) -> None:
    reset = reverse("account_reset_password")
    assert Client().get(reset, headers={"host": "evil.example"}).status_code == 400
    client = Client()
    client.post(reset, {"email": member.user.email}, headers={"x-forwarded-host": "evil.example"})
    assert len(mailoutbox) == 1
    assert "evil.example" not in str(mailoutbox[0].body)


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_no_link_of_ours_leads_elsewhere(member: Membership, elsewhere: str) -> None:
    client, login = Client(), reverse("account_login")
    answer = client.post(
        f"{login}?next={elsewhere}",
        {"login": member.user.email, "password": PASSWORD, "next": elsewhere},
    )
    assert answer["Location"] == reverse("home")
    again = client.post(
        reverse("account_reauthenticate"), {"password": PASSWORD, "next": elsewhere}
    )
    assert "evil" not in again.get("Location", "")
    assert "javascript" not in again.get("Location", "")
    language = client.post(reverse("set_language"), {"language": "ca", "next": elsewhere})
    assert "evil" not in language.get("Location", "")
    assert "javascript" not in language.get("Location", "")
    fragment = Client().get(
        reverse("workspaces:refreshes", args=[member.workspace.slug]),
        headers={"HX-Request": "true", "HX-Current-URL": elsewhere},
    )
    assert fragment["HX-Redirect"] == f"{login}?next=/"
