"""The lists of a connection's account: pick one, name one by its ID or URL, or make one."""

import re
from dataclasses import asdict, dataclass
from enum import StrEnum

from django.core.cache import cache
from django.utils.translation import gettext as _

from connections import access, words
from connections.models import Connection
from connections.provider import errors
from workspaces import cached

CACHE_SECONDS = 60
NAMES_SECONDS = 24 * 60 * 60
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


class ListProblem(Exception):
    """Why a list can't be used; the message is for people and says what to do."""


class SignInWanted(ListProblem):
    """Signing in to the account again mends it, which an Administrator does."""


class Way(StrEnum):
    """How a person names a list."""

    PICK = "pick"
    PASTE = "paste"
    MAKE = "make"


@dataclass(frozen=True)
class ContactList:
    id: str
    name: str
    members: int | None = None


def lists_of(connection: Connection, *, fresh: bool = False) -> list[ContactList]:
    """The account's lists by name, as they were at most a minute ago.

    They are kept that long so that looking around does not spend the account's daily requests.
    Raises `ListProblem`.
    """
    key = _cache_key(connection)
    known = None if fresh else cache.get(key)
    if known is None:
        with put_into_words():
            known = [
                asdict(ContactList(str(found.list_id), found.name, found.membership_count))
                for found in access.client(connection).lists()
            ]
        cache.set(key, known, CACHE_SECONDS)
        names = {one["id"]: one["name"] for one in known}
        cache.set(_names_key(connection), names, NAMES_SECONDS)
    found = [ContactList(**kept) for kept in known]
    return sorted(found, key=lambda one: one.name.casefold())


def name_of(connection: Connection, list_id: str) -> str:
    """What the list was called when the lists were last looked at; empty if that was long ago."""
    names: dict[str, str] = cache.get(_names_key(connection)) or {}
    return names.get(list_id, "")


def id_in(text: str) -> str:
    """The list ID in what a person pasted: the ID, or a page's address that holds it.

    Raises `ListProblem`.
    """
    ids = {match.lower() for match in ID.findall(text)}
    if len(ids) == 1:
        return ids.pop()
    if ids:
        raise ListProblem(
            _("There is more than one ID in this. Paste only the ID of the list, or its address.")
        )
    raise ListProblem(
        _(
            "There is no list ID in this. It looks like 12345678-90ab-cdef-1234-567890abcdef and is"
            " part of the list’s address at Constant Contact."
        )
    )


def verified(connection: Connection, list_id: str) -> ContactList:
    """The list, asked of the account now. Raises `ListProblem`."""
    try:
        with put_into_words():
            found = access.client(connection).list(list_id)
    except errors.NotFound as missing:
        raise ListProblem(_missing(connection)) from missing
    if getattr(found, "deleted_at", None):
        raise ListProblem(
            _("The list “%(list)s” was deleted at Constant Contact. Choose another one.")
            % {"list": found.name}
        )
    return ContactList(str(found.list_id), found.name, found.membership_count)


def made(connection: Connection, name: str) -> ContactList:
    """A new list in the account. Raises `ListProblem`."""
    try:
        with put_into_words():
            found = access.client(connection).create_list(name)
    except errors.Conflict as taken:
        raise ListProblem(
            _("The account already has a list called “%(list)s”. Pick it, or choose another name.")
            % {"list": name}
        ) from taken
    finally:
        cache.delete(_cache_key(connection))
    return ContactList(str(found.list_id), found.name, 0)


def _missing(connection: Connection) -> str:
    return _(
        "The account %(account)s has no such list. It may belong to another account, or have been"
        " deleted. Check the ID, or pick the list instead."
    ) % {"account": connection.account_name or connection.name}


def _cache_key(connection: Connection) -> str:
    return cached.key(connection.workspace_id, "lists", connection.pk, connection.account_id)


def _names_key(connection: Connection) -> str:
    return cached.key(connection.workspace_id, "list-names", connection.pk, connection.account_id)


class put_into_words:  # noqa: N801 - reads as a with-statement
    """Turns the account's refusals into `ListProblem`, but those that speak of the list itself."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (errors.NotFound, errors.Conflict)):
            return
        if isinstance(error, access.NotUsable):
            kind_of = SignInWanted if error.code == "needs_sign_in" else ListProblem
            raise kind_of(str(error)) from error
        if isinstance(error, errors.ProviderError):
            kind_of = SignInWanted if error.advice == "sign_in" else ListProblem
            raise kind_of(_words(error)) from error


def _words(error: errors.ProviderError) -> str:
    if isinstance(error, errors.OutcomeUnknown):
        return _(
            "Constant Contact did not answer, so it is not known whether it did what was asked."
            " Nothing you entered is lost: load the lists anew, then try again."
        )
    if isinstance(error, errors.BudgetSpent):
        return _(
            "Today’s requests to Constant Contact are used up. Nothing you entered is lost: try"
            " again after the daily limit has started anew."
        )
    if error.advice == "sign_in":
        return _(
            "Constant Contact no longer accepts this connection’s authorisation. An"
            " Administrator must sign in to it again on the connection’s page."
        )
    if error.advice == "retry":
        return _(
            "Constant Contact can’t be reached at the moment. Nothing you entered is lost: try"
            " again in a minute."
        )
    return _("Constant Contact refused: %(answer)s") % {"answer": words.error_text(error)}
