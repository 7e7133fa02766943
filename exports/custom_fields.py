"""The custom fields of a connection's account: what they are called, and what can feed them."""

from dataclasses import asdict, dataclass

from django.core.cache import cache
from django.utils.translation import gettext as _

from connections import access
from connections.models import Connection
from exports.configuration import CUSTOM_FIELD_PREFIX
from exports.lists import CACHE_SECONDS, put_into_words
from exports.matching import DATES
from segments.models import Attribute
from workspaces import cached

# The most values that an import takes for one contact.
MOST = 25
DATE_TYPES = {"date", "datetime"}


@dataclass(frozen=True)
class CustomField:
    """`target` is its name in an import: the field's own, never its label."""

    target: str
    label: str
    is_date: bool


def is_custom(target: str) -> bool:
    return target.startswith(CUSTOM_FIELD_PREFIX)


def custom_fields_of(connection: Connection, *, fresh: bool = False) -> list[CustomField]:
    """The account's custom fields by label, as they were at most a minute ago.

    Raises `ListProblem`.
    """
    key = cached.key(connection.workspace_id, "custom-fields", connection.pk, connection.account_id)
    known = None if fresh else cache.get(key)
    if known is None:
        with put_into_words():
            known = [
                asdict(
                    CustomField(
                        f"{CUSTOM_FIELD_PREFIX}{found.name}",
                        found.label or found.name,
                        found.type in DATE_TYPES,
                    )
                )
                for found in access.client(connection).custom_fields()
            ]
        cache.set(key, known, CACHE_SECONDS)
    return sorted((CustomField(**kept) for kept in known), key=lambda one: one.label.casefold())


def problem_of(target: str, attribute: Attribute, known: dict[str, CustomField]) -> str:
    """Why the account can't take the attribute there, in words for people; empty if it can."""
    field = known.get(target)
    if field is None:
        return _(
            "The account has no custom field “%(field)s” any more. Choose another field, or remove"
            " this line."
        ) % {"field": target.removeprefix(CUSTOM_FIELD_PREFIX)}
    if field.is_date and attribute.type not in DATES:
        return _(
            "%(field)s is a date, and %(attribute)s holds %(type)s. Choose an attribute"
            " that holds dates."
        ) % {
            "field": field.label,
            "attribute": attribute.label,
            "type": str(attribute.get_type_display()).lower(),
        }
    return ""
