"""The one library that templates load: all there is of the others, permissions, numbers, times."""

from datetime import datetime, timedelta
from html import escape
from typing import Any
from urllib.parse import quote

from django import template
from django.db.models import Model
from django.template.context import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from workspaces import navigation, permissions
from workspaces.ago import ago
from workspaces.charts import BarChart
from workspaces.notices import inbox
from workspaces.templatetags import addresses, components
from workspaces.written import duration, in_short, number, percent, roughly, written

register = template.Library()

for part in (components, addresses):
    register.tags.update(part.register.tags)
    register.filters.update(part.register.filters)

for said in (number, in_short, percent, duration, roughly, written):
    register.filter(said)


@register.simple_tag(takes_context=True)
def may(context: Context, action: str, target: Any = None) -> bool:
    """`{% may "noun.action" object as allowed %}`: whether the member signed in may do it."""
    member = getattr(context.get("request"), "membership", None)
    return member is not None and permissions.may(member, action, target)


@register.simple_tag(takes_context=True)
def sections(context: Context) -> list[navigation.Section]:
    """The sidebar: only what this member may open."""
    return navigation.sections(context["request"])


@register.simple_tag(takes_context=True)
def unread_notices(context: Context) -> int:
    """How many notices the member has not seen."""
    return inbox.unread(context["membership"])


@register.filter
def figure(row: Model, name: str) -> int:
    """One of a row's counts, as its column is named."""
    value: int = getattr(row, name)
    return value


@register.filter
def file_of_figures(chart: BarChart, moments: str) -> str:
    """A chart's figures as a CSV file in an address, for a link to download."""
    return f"data:text/csv;charset=utf-8,{quote(chart.csv(moments))}"


@register.simple_tag
def so_far(value: timedelta) -> str:
    """A duration that goes on: the page counts its seconds."""
    return format_html(
        '<span data-so-far="{}" data-seconds="{}" data-minutes="{}" data-hours="{}">{}</span>',
        f"{value.total_seconds():.0f}",
        _("%(seconds)s s"),
        _("%(minutes)d min %(seconds)d s"),
        _("%(hours)d h %(minutes)d min"),
        duration(value),
    )


@register.simple_tag
def when(moment: datetime | None, otherwise: str = "–") -> str:
    """How long ago, or until when; the exact local time on hover."""
    if moment is None:
        return otherwise
    local = timezone.localtime(moment)
    exactly = f"{written(moment, 'DATETIME_FORMAT')} {local.tzname()}"
    return _time(local, exactly, ago(moment))


@register.simple_tag
def at(moment: datetime | None, otherwise: str = "–") -> str:
    """The exact local time; how long ago on hover."""
    if moment is None:
        return otherwise
    local = timezone.localtime(moment)
    return _time(local, ago(moment), written(moment, "SHORT_DATETIME_FORMAT"))


def _time(local: datetime, title: str, text: str) -> SafeString:
    """What `format_html` would make in three times as long: lists have hundreds of them."""
    exactly = local.isoformat(timespec="seconds")
    return SafeString(f'<time datetime="{exactly}" title="{escape(title)}">{escape(text)}</time>')


@register.filter
def initials(name: str) -> str:
    """Up to two letters that stand for a person or a workspace."""
    words = name.split("@")[0].replace(".", " ").replace("-", " ").replace("_", " ").split()
    return "".join(word[0] for word in words[:2]).upper()
