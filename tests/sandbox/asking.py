"""How these tests speak to the sandbox: plain HTTP, as any client of the provider would."""

import base64
import hashlib
import http.client
import json
import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

VERIFIER = "a-code-verifier-of-at-least-forty-three-characters"
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)
REDIRECT = "http://localhost:9/callback"


class Api:
    """The API with a token of its first account."""

    def __init__(self, sandbox: Any, **tokens: Any) -> None:
        self.sandbox = sandbox
        self.token = sandbox.control("tokens", **tokens)["access_token"]

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        url = path if path.startswith("http") else f"{self.sandbox.api_url}{path}"
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        return requests.request(method, url, headers=headers, timeout=30, **more)

    def get(self, path: str, **query: Any) -> requests.Response:
        return self.ask("GET", path, params=query)

    def post(self, path: str, body: Any) -> requests.Response:
        return self.ask("POST", path, json=body)

    def post_often(self, path: str, body: Any, times: int) -> set[int]:
        """The statuses of so many requests, by what costs the least."""
        line = http.client.HTTPConnection("127.0.0.1", self.sandbox.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        text, where = json.dumps(body), urlsplit(self.sandbox.api_url).path + path
        statuses = set()
        for _ in range(times):
            line.request("POST", where, text, headers)
            answer = line.getresponse()
            answer.read()
            statuses.add(answer.status)
        line.close()
        return statuses

    def ended(self, answer: requests.Response, seconds: float = 20) -> dict[str, Any]:
        """The activity that the answer started, once it has ended."""
        assert answer.status_code == 201, answer.text
        deadline = time.monotonic() + seconds
        while True:
            found: dict[str, Any] = self.get(f"/activities/{answer.json()['activity_id']}").json()
            if found["state"] not in ("initialized", "processing"):
                return found
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def imported(self, rows: list[Any], list_name: str = "Newsletter") -> dict[str, Any]:
        body = {"import_data": rows, "list_ids": [self.sandbox.lists()[list_name]]}
        return self.ended(self.post("/activities/contacts_json_import", body))


def authorize_url(sandbox: Any, **changes: Any) -> str:
    asked = {
        "response_type": "code",
        "client_id": sandbox.client_id,
        "redirect_uri": REDIRECT,
        "scope": "offline_access contact_data account_read",
        "state": "a-state",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changes,
    }
    kept = {name: value for name, value in asked.items() if value is not None}
    return f"{sandbox.auth_url}/v1/authorize?{urlencode(kept)}"


def answered(sandbox: Any, answer: str = "allow", **changes: Any) -> dict[str, str]:
    """What the browser comes back with after a person's answer on the page."""
    person = sandbox.control("accounts")[0]["users"][0]
    back = requests.post(
        authorize_url(sandbox, **changes),
        data={"account": person, "answer": answer},
        allow_redirects=False,
        timeout=10,
    )
    assert back.status_code == 302, back.text
    assert back.headers["Location"].startswith(REDIRECT)
    query = parse_qs(urlsplit(back.headers["Location"]).query)
    return {name: values[0] for name, values in query.items()}


def token(sandbox: Any, **parameters: str) -> requests.Response:
    return requests.post(
        f"{sandbox.auth_url}/v1/token",
        data=parameters,
        auth=(sandbox.client_id, sandbox.client_secret),
        timeout=10,
    )


def exchange(sandbox: Any, code: str, **changes: str) -> requests.Response:
    asked = {"code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER, **changes}
    return token(sandbox, grant_type="authorization_code", **asked)


def refresh(sandbox: Any, refresh_token: str) -> requests.Response:
    return token(sandbox, grant_type="refresh_token", refresh_token=refresh_token)
