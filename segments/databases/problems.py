"""What went wrong with a database, in a sentence that says what to do and holds no secret."""

import re
from collections.abc import Callable
from typing import Any

import pymysql

from segments.databases.target import Target
from workspaces.sentences import Explained, Sentence
from workspaces.sentences import gettext as _

LONGEST_SAID = 300


class DatabaseProblem(Explained):
    """Why a database can't be read, and what to do; the message is for people.

    `field` is what to change about it, as the forms name it: empty when nothing is.
    """

    def __init__(self, sentence: Sentence | str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


def too_slow(seconds: float) -> DatabaseProblem:
    return DatabaseProblem(
        _(
            "The database took longer than %(seconds)d seconds and was stopped. Ask for fewer rows"
            " or columns, or have an index made for the query."
        )
        % {"seconds": seconds},
        "statement",
    )


def unreachable(target: Target) -> DatabaseProblem:
    return DatabaseProblem(
        _(
            "Nothing answers at %(host)s, port %(port)d. Check both, and that its firewall lets"
            " this system in."
        )
        % {"host": target.host, "port": target.port},
        "host",
    )


def no_answer(seconds: float) -> DatabaseProblem:
    return DatabaseProblem(
        _(
            "The database gave no answer within %(seconds)d seconds. Check that it is up and lets"
            " this system in, and try again."
        )
        % {"seconds": seconds}
    )


def too_many_waiting() -> DatabaseProblem:
    return DatabaseProblem(
        _("Too many databases are being waited for just now. Try again in a minute.")
    )


def broken_off() -> DatabaseProblem:
    return DatabaseProblem(
        _("The connection to the database broke off, so nothing was loaded. Try again.")
    )


def on_connecting(error: Exception, target: Target) -> DatabaseProblem:
    """Of a failure to connect."""
    said = _said(error, target)
    for pattern, problem in _CONNECTING:
        if re.search(pattern, said, re.IGNORECASE):
            return problem(target)
    return DatabaseProblem(
        _("The database did not let this system in. It said: %(said)s") % {"said": said}
    )


def on_reading(error: Exception, target: Target) -> DatabaseProblem:
    """Of a failure while a query ran or its rows were read."""
    from sqlalchemy import exc

    said = _said(error, target)
    state = getattr(getattr(error, "orig", None), "pgcode", None)
    if state == "57014" or re.search(_SLOW, said):
        return DatabaseProblem(
            _("The database stopped the query because it took too long. Ask for fewer rows."),
            "statement",
        )
    if state == "25006" or re.search(_READ_ONLY, said, re.IGNORECASE):
        return DatabaseProblem(
            _("The query wants to change the database, and sources only read. Use a SELECT."),
            "statement",
        )
    if re.search(r"connection refused", said, re.IGNORECASE):
        # Some drivers connect no sooner than they ask.
        return unreachable(target)
    if re.search(_BROKEN, said, re.IGNORECASE):
        return broken_off()
    if isinstance(error, exc.DataError):
        # What the database says of a value may hold the value, which is somebody's.
        return DatabaseProblem(
            _("A value does not fit what the query does with it. Mend the query, and try again."),
            "statement",
        )
    if isinstance(error, UnicodeError):
        return DatabaseProblem(
            _("The database holds text that is not in its own encoding. Convert it in the query.")
        )
    return DatabaseProblem(
        _("The database can’t run this. It said: %(said)s") % {"said": said}, "statement"
    )


def _said(error: Exception, target: Target) -> str:
    """The database's own words, without the statement, and without the password if it is there."""
    original: Any = getattr(error, "orig", None) or error
    text = str(original)
    if isinstance(original, pymysql.MySQLError) and len(original.args) > 1:
        text = str(original.args[1])
    diagnosis = getattr(original, "diag", None)
    if diagnosis is not None and diagnosis.message_primary:
        # Without the line around it, which is partly this system's own.
        text = ". ".join(filter(None, [diagnosis.message_primary, diagnosis.message_hint]))
    text = " ".join(text.split())
    if target.password:
        text = text.replace(target.password, "…")
    return text[:LONGEST_SAID] or type(original).__name__


def _wrong_password(target: Target) -> DatabaseProblem:
    return DatabaseProblem(
        _("The database does not accept this user name and password. Check both."), "password"
    )


def _no_database(target: Target) -> DatabaseProblem:
    return DatabaseProblem(
        _("There is no database “%(name)s” there, or this user may not see it. Check its name.")
        % {"name": target.database},
        "database",
    )


def _no_encryption(target: Target) -> DatabaseProblem:
    return DatabaseProblem(
        _(
            "The database does not offer an encrypted connection. Have it switched on there, or"
            " choose “Not encrypted” if the way to it is a network of your own."
        ),
        "encryption",
    )


def _untrusted(target: Target) -> DatabaseProblem:
    return DatabaseProblem(
        _(
            "The certificate of the database can’t be verified: it names another host, or comes"
            " from an authority that this system does not know. Ask your operator to add the"
            " authority, or choose “Encrypted” without the check."
        ),
        "encryption",
    )


def _only_encrypted(target: Target) -> DatabaseProblem:
    return DatabaseProblem(
        _(
            "The database lets this user in from elsewhere, or over an encrypted connection only."
            " Choose “Encrypted”, or have this system’s address allowed there."
        ),
        "encryption",
    )


def _too_many(target: Target) -> DatabaseProblem:
    return DatabaseProblem(
        _("The database has no free connection for this user. Try again in a while.")
    )


def _locked(target: Target) -> DatabaseProblem:
    return DatabaseProblem(
        _("Another program is writing to the file. Try again when it has ended."), "database"
    )


def _no_file(target: Target) -> DatabaseProblem:
    return DatabaseProblem(
        _("This file is no database of the kind you chose. Choose another file or kind."),
        "database",
    )


_CONNECTING: list[tuple[str, Callable[[Target], DatabaseProblem]]] = [
    (r"password authentication failed|access denied for user .*using password", _wrong_password),
    (r"no password supplied|role .* does not exist|role .* is not permitted", _wrong_password),
    (r"database .* does not exist|unknown database|access denied .* to database", _no_database),
    (r"does not support SSL|SSL is required but|SSL, but SSL was required", _no_encryption),
    (
        r"certificate verify failed|server certificate|root cert|hostname mismatch",
        _untrusted,
    ),
    (r"no pg_hba.conf entry|insecure transport|require_secure_transport", _only_encrypted),
    (r"too many (connections|clients)|remaining connection slots", _too_many),
    (
        r"refused|timed out|timeout|unreachable|no route|lost conn|closed the conn",
        unreachable,
    ),
    (r"conflicting lock|database is locked", _locked),
    (r"not a database|not a valid duckdb|unable to open database|serializ", _no_file),
]
_SLOW = r"max_statement_time|maximum statement execution time|^interrupted|INTERRUPT Error"
_READ_ONLY = r"read.?only (transaction|mode|database)|readonly database|data-modifying"
_BROKEN = (
    r"lost connection|server closed the connection|connection already closed|broken pipe|"
    r"connection reset|terminating connection|could not receive data|gone away|SSL SYSCALL|"
    r"connection not open|closed unexpectedly|read operation timed out"
)
