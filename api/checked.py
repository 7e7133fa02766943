"""The screens' forms as the API's judges: what they refuse, it refuses, in the same words."""

from typing import Any

from django.forms import BaseForm
from django.http import QueryDict

from api.problems import Problem


def posted(**values: Any) -> QueryDict:
    """Values as a form's page would post them: false and None not at all, lists one by one."""
    data = QueryDict(mutable=True)
    for name, value in values.items():
        if isinstance(value, list | tuple):
            data.setlist(name, [str(one) for one in value])
        elif value is True:
            data[name] = "on"
        elif value is not None and value is not False:
            data[name] = str(value)
    return data


def require_valid(form: BaseForm) -> None:
    """Raises `Problem`, with every field that is wrong."""
    if not form.is_valid():
        raise invalid(form)


def invalid(form: BaseForm) -> Problem:
    errors = [
        {"pointer": "/" if name == "__all__" else f"/{name}", "detail": str(text)}
        for name, texts in form.errors.items()
        for text in texts
    ]
    first = errors[0]["detail"] if errors else ""
    return Problem("invalid_request", first, errors=errors)
