"""What only the pages of workspaces show: names of audit actions and of a refresh's stages."""

from typing import Any

from django import template
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _

from workspaces import audit, refreshes, statuses
from workspaces.models import Refresh, Role
from workspaces.templatetags.segue import number

register = template.Library()


@register.simple_tag
def action_name(action: str) -> str:
    return audit.name_of(action)


@register.filter
def detail_name(key: str) -> str:
    return audit.name_of_detail(key)


@register.filter
def detail(value: Any, key: str) -> str:
    """A value of an audit entry's details, as people write it."""
    if key == "days" and isinstance(value, list):
        return ", ".join(str(WEEKDAYS_ABBR[day - 1]) for day in value)
    if value in Role.values:
        return str(Role(value).label)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return str(value)


@register.inclusion_tag("components/status_icon.html")
def stage_mark(stage: dict[str, Any]) -> dict[str, Any]:
    """The icon of a refresh's stage, with its state for who can't see it."""
    state = Refresh.State(stage["state"])
    return {"look": statuses.look(state.value), "label": state.label}


@register.simple_tag
def stage_name(stage: dict[str, Any]) -> str:
    return refreshes.name_of(stage["name"])


@register.simple_tag
def stage_counts(stage: dict[str, Any]) -> str:
    counts = stage.get("counts") or {}
    return ", ".join(
        f"{number(value) if isinstance(value, int) else value} {refreshes.name_of_count(key)}"
        for key, value in counts.items()
    )
