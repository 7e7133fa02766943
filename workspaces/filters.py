"""Which rows of a list a URL asks for, by fields that have choices."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import QueryDict

AnyModel = TypeVar("AnyModel", bound=Model)


def by_choices(
    found: QuerySet[AnyModel], asked: QueryDict, *fields: str
) -> tuple[QuerySet[AnyModel], dict[str, Any]]:
    """Those of the choices asked for; and for their page what is asked, and of each field's what.

    As `state` and `states`, and as `is_searched` whether anything is.
    """
    shown: dict[str, Any] = {"is_searched": False}
    for name in fields:
        choices: Any = found.model._meta.get_field(name).choices  # type: ignore[union-attr]
        chosen = asked.get(name, "")
        if chosen in dict(choices):
            found = found.filter(**{name: chosen})
        shown |= {name: chosen, f"{name}s": choices}
        shown["is_searched"] = shown["is_searched"] or bool(chosen)
    return found, shown
