"""An authorisation for another account than before waits here for the person's word.

In the browser's session, encrypted, for ten minutes: nothing of it is the connection's yet.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from django.contrib.sessions.backends.base import SessionBase

from config import cipher
from connections.constant_contact.answers import AccountSummary
from connections.models import Connection

SESSION_KEY = "constant_contact_other_account"
SECONDS = 600


@dataclass(frozen=True)
class OtherAccount:
    account: AccountSummary
    answer: dict[str, Any] = field(repr=False)


def set_aside(
    session: SessionBase, connection: Connection, answer: dict[str, Any], account: AccountSummary
) -> None:
    kept = {"connection": connection.pk, "answer": answer, "account": account.model_dump()}
    session[SESSION_KEY] = cipher.encrypt(json.dumps(kept)).decode()


def waiting(session: SessionBase, connection: Connection) -> OtherAccount | None:
    """What waits for this connection, if it is not too old."""
    text = cipher.decrypted_within(session.get(SESSION_KEY, ""), SECONDS)
    kept = json.loads(text) if text else {}
    if kept.get("connection") != connection.pk:
        return None
    return OtherAccount(AccountSummary.model_validate(kept["account"]), kept["answer"])


def forget(session: SessionBase) -> None:
    session.pop(SESSION_KEY, None)
