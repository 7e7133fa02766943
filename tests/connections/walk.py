"""The way through setting up a connection, as a browser takes it."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from django.test import Client
from django.urls import reverse

from connections import consent_text
from connections.models import Connection
from tests.workspaces.factories import PASSWORD
from workspaces.models import Workspace


def url(name: str, workspace: Workspace, *arguments: Any) -> str:
    return reverse(f"connections:{name}", args=[workspace.slug, *arguments])


def words(response: Any) -> str:
    """The page as text, with its white space made one."""
    return " ".join(response.content.decode().split())


def entered(**values: Any) -> dict[str, Any]:
    """What a person fills in to add a connection."""
    return {
        "name": "Newsletter account",
        "sharing": "administrators",
        "agree": "on",
        "words": consent_text.fingerprint(),
        **values,
    }


def begin(browser: Client, workspace: Workspace, **values: Any) -> str:
    """Adds a connection; returns the address of Constant Contact's sign-in."""
    answer = browser.post(url("add", workspace), entered(**values))
    assert answer.status_code == 302, words(answer)
    return str(answer["Location"])


def begin_again(browser: Client, connection: Connection) -> str:
    answer = browser.post(url("authorise", connection.workspace, connection.pk))
    return str(answer["Location"])


def answer_there(address: str, answer: str = "allow", account: int = 0) -> str:
    """Answers at the sandbox's sign-in; returns where the browser is sent back to."""
    page = requests.get(address, timeout=5, allow_redirects=False)
    if page.status_code == 302:
        return page.headers["Location"]
    ids = [part.split('"')[0] for part in page.text.split('name="account" value="')[1:]]
    back = requests.post(
        address,
        data={"account": ids[account], "answer": answer},
        timeout=5,
        allow_redirects=False,
    )
    return back.headers["Location"]


def query(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def prove(browser: Client) -> None:
    """Enters the password once more."""
    answer = browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert answer.status_code == 302


def only_connection() -> Connection:
    return Connection.objects.select_related("workspace", "export_user", "authorised_by").get()
