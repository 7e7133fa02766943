"""The screens' forms as the API's judges: what they refuse, it refuses, in the same words."""

from django.forms import BaseForm

from api.problems import Problem
from workspaces.posted import posted

__all__ = ["invalid", "posted", "require_valid"]


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
