"""What only the pages of workspaces show: names of audit actions and their details."""

from typing import Any

from django import template
from django.template.context import Context
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _

from workspaces import audit, issuers, sessions, two_step
from workspaces.models import Role, Workspace
from workspaces.notices import topics
from workspaces.sentences import read

register = template.Library()


@register.filter
def event_label(kind: str) -> str:
    """What people call a kind of event."""
    return topics.event_label(kind)


@register.filter
def browser_name(user_agent: str) -> str:
    return sessions.browser_name(user_agent)


@register.simple_tag(takes_context=True)
def workspaces_demanding_two_step(context: Context) -> list[Workspace]:
    """The workspaces of who is signed in that demand a second step."""
    return two_step.demanding(context["user"])


@register.simple_tag(name="issuers")
def known_issuers() -> list[dict[str, str]]:
    """Where else people may sign in: `name` and `url`, to be posted to."""
    return issuers.ways()


@register.filter
def issuer_name(provider: str) -> str:
    return issuers.name_of(provider)


@register.filter
def issuer_address(account: Any) -> str:
    """The e-mail address by which an issuer knows the person."""
    return issuers.address_of(account)


@register.simple_tag
def action_name(action: str) -> str:
    return audit.name_of(action)


@register.filter
def told(details: dict[str, Any]) -> list[tuple[str, str]]:
    """An audit entry's details that say something: their names and values, as people write them."""
    return [
        (audit.name_of_detail(key), detail(value, key))
        for key, value in details.items()
        if value or value == 0
    ]


@register.filter
def detail(value: Any, key: str) -> str:
    """A value of an audit entry's details, as people write it."""
    if key == "days" and isinstance(value, list):
        return ", ".join(str(WEEKDAYS_ABBR[day - 1]) for day in value)
    if value in Role.values:
        return str(Role(value).label)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if key == "changes":
        return _changes(value)
    if isinstance(value, dict):
        return ", ".join(
            f"{audit.name_of_detail(name)}: {detail(one, name)}" for name, one in value.items()
        )
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return str(read(value)) if isinstance(value, str) else str(value)


def _changes(value: Any) -> str:
    """By field, or of all at once: what was, and what it becomes."""
    if isinstance(value, list):
        was, becomes = value
        return _change(was, becomes, "")
    told = []
    for name, one in value.items():
        was, becomes = (one["was"], one["becomes"]) if isinstance(one, dict) else one
        told.append(f"{audit.name_of_detail(name)} {_change(was, becomes, name)}")
    return "; ".join(told)


def _change(was: Any, becomes: Any, name: str) -> str:
    shown = ("–" if one in ("", None, [], {}) else detail(one, name) for one in (was, becomes))
    return " → ".join(shown)
