"""What every template needs: icons, components, statuses, permissions, numbers and times."""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from html import escape
from typing import Any
from urllib.parse import quote

from django import template
from django.db.models import Model
from django.forms.utils import flatatt
from django.template.base import (
    FilterExpression,
    Node,
    NodeList,
    Parser,
    TextNode,
    Token,
    token_kwargs,
)
from django.template.context import Context
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import formats, timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from workspaces import icons, navigation, permissions, statuses
from workspaces.ago import ago
from workspaces.charts import BarChart
from workspaces.notices import inbox

register = template.Library()

NAMED = re.compile(r"""["']([a-z0-9 -]*)["']""")


@register.simple_tag
@cache
def icon(name: str, css: str = "") -> SafeString:
    """A decorative icon of the sprite; the text beside it carries the meaning."""
    if name not in icons.names():
        raise template.TemplateSyntaxError(
            f"no icon is called {name!r}: add it to the sprite (static/vendor/README.md)"
        )
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        f" {css}" if css else "",
        static(icons.SPRITE),
        name,
    )


icon_by_value = register.tags["icon"]


@register.tag("icon")
def icon_node(parser: Parser, token: Token) -> Node:
    """An icon that the template names is part of its text."""
    named = [NAMED.fullmatch(one) for one in token.split_contents()[1:]]
    if all(named):
        return TextNode(icon(*(one[1] for one in named if one)))
    drawn: Node = icon_by_value(parser, token)
    return drawn


class FillNode(template.Node):
    """`{% fill "actions" %}…{% endfill %}`: content for a named place of the component around."""

    def __init__(self, name: str, nodelist: NodeList) -> None:
        self.name, self.nodelist = name, nodelist

    def render(self, context: Context) -> SafeString:
        context["component_fills"][self.name] = self.nodelist.render(context)
        return SafeString("")


class ComponentNode(template.Node):
    def __init__(
        self, name: FilterExpression, values: dict[str, FilterExpression], nodelist: NodeList
    ) -> None:
        self.name, self.values, self.nodelist = name, values, nodelist

    def render(self, context: Context) -> SafeString:
        fills: dict[str, SafeString] = {}
        with context.push(component_fills=fills):
            slot = self.nodelist.render(context)
        values = {key: value.resolve(context) for key, value in self.values.items()}
        shared = {key: context.get(key) for key in ("request", "csrf_token", "workspace")}
        inner = context.new({**shared, **fills, **values, "slot": SafeString(slot.strip())})
        engine = context.template.engine  # type: ignore[union-attr]
        return engine.get_template(f"components/{self.name.resolve(context)}.html").render(inner)


@register.tag
def component(parser: Parser, token: Token) -> ComponentNode:
    """`{% component "card" title=… %}…{% endcomponent %}` renders `components/card.html`.

    The content is `slot` there; each `{% fill "name" %}` a variable of that name.
    """
    _tag, name, *arguments = token.split_contents()
    values = token_kwargs(arguments, parser)
    if arguments:
        raise template.TemplateSyntaxError("component takes a name, then name=value pairs")
    nodelist = parser.parse(("endcomponent",))
    parser.delete_first_token()
    return ComponentNode(parser.compile_filter(name), values, nodelist)


@register.tag
def fill(parser: Parser, token: Token) -> FillNode:
    _tag, name = token.split_contents()
    if name[0] != name[-1] or name[0] not in "'\"":
        raise template.TemplateSyntaxError(f"fill takes a name in quotes, not {name}")
    nodelist = parser.parse(("endfill",))
    parser.delete_first_token()
    return FillNode(name[1:-1], nodelist)


@register.simple_tag
def status(target: Model, field: str = "state") -> SafeString:
    """The badge of an object's state, with the label of the model's choices."""
    return badge(getattr(target, field), getattr(target, f"get_{field}_display")())


@register.simple_tag
def badge(state: str, label: str) -> SafeString:
    """The badge of a state that no model's choices name."""
    return _badge(statuses.look(state), str(label))


@lru_cache(1_000)
def _badge(look: statuses.Look, label: str) -> SafeString:
    return render_to_string("components/status.html", {"look": look, "label": label})


@register.inclusion_tag("components/steps.html")
def steps(*labels: str, current: int, **urls: str) -> dict[str, Any]:
    """`{% steps first second third current=2 url_1=there %}`: the way through a set-up.

    Numbered from 1; steps done that have a URL are gone back to by it.
    """
    shown = [
        {"label": label, "url": urls.get(f"url_{number}", "") if number < current else ""}
        for number, label in enumerate(labels, start=1)
    ]
    return {"steps": shown, "current": current}


@register.simple_tag
def options(groups: Iterable[tuple[str | None, list[dict[str, Any]], int]]) -> SafeString:
    """The options of a select widget's groups: of time zones there are hundreds."""
    return SafeString("".join(_group(name, found) for name, found, _at in groups))


@register.simple_tag
def options_of(offered: Iterable[Model], chosen: Model | None) -> SafeString:
    """The options of a select of objects, by their keys: of segments there are hundreds."""
    return SafeString(
        "".join(
            f'<option value="{one.pk}"{" selected" if one == chosen else ""}>'
            f"{escape(str(one))}</option>"
            for one in offered
        )
    )


def _group(name: str | None, found: list[dict[str, Any]]) -> str:
    drawn = "".join(
        f'<option value="{_escaped(one["value"])}"{flatatt(one["attrs"]) if one["attrs"] else ""}>'
        f"{_escaped(one['label'])}</option>\n"
        for one in found
    )
    return f'<optgroup label="{_escaped(name)}">\n{drawn}</optgroup>\n' if name else drawn


def _escaped(value: Any) -> str:
    """As `conditional_escape`, which takes ten steps to find that a text is but a text."""
    return escape(value) if type(value) is str else conditional_escape(value)


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


@register.simple_tag(takes_context=True)
def sort_heading(
    context: Context, key: str, label: str, css: str = "", part: str = ""
) -> SafeString:
    """A column's heading that sorts by it, the other way round the second time.

    `part` is the id of the table on its page, to come back to.
    """
    current = context.get("sort", "")
    query = context["request"].GET.copy()
    for place in ("after", "before"):
        query.pop(place, None)
    query["sort"] = f"-{key}" if current == key else key
    direction = {key: "ascending", f"-{key}": "descending"}.get(str(current))
    mark = {"ascending": icon("arrow-up"), "descending": icon("arrow-down")}.get(str(direction))
    return format_html(
        '<th scope="col"{}{}><a class="sort" href="?{}{}">{}{}</a></th>',
        format_html(' class="{}"', css) if css else "",
        format_html(' aria-sort="{}"', direction) if direction else "",
        query.urlencode(),
        f"#{part}" if part else "",
        label,
        mark or icon("selector", "sort-idle"),
    )


@register.simple_tag(takes_context=True)
def kept(context: Context, *names: str, besides: str = "") -> SafeString:
    """What the URL says of these, or of all `besides` one, for a form that asks for more by GET."""
    query = context["request"].GET
    fields = [name for name in query if (name in names if names else name != besides)]
    return format_html_join(
        "",
        '<input type="hidden" name="{}" value="{}">',
        ((name, value) for name in fields for value in query.getlist(name)),
    )


@register.simple_tag(takes_context=True)
def unsearched(context: Context) -> str:
    """The page at hand with nothing sought: its order and its columns stay."""
    query = context["request"].GET.copy()
    for name in [name for name in query if name not in ("sort", "columns")]:
        del query[name]
    return f"?{query.urlencode()}"


@register.filter
def number(value: float | str | None) -> str:
    """Grouped by thousands, as the reader's language does; a dash for nothing; text as it is."""
    if value is None or value == "":
        return "–"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}".replace(",", _separator(get_language()))
    return formats.number_format(value, use_l10n=True, force_grouping=True)


@register.filter
def in_short(value: int) -> str:
    """For the scale of a picture, which has little room: from a million on in words for that."""
    million, billion = 10**6, 10**9
    if value < million:
        return number(value)
    if value < billion:
        size, said = million, pgettext("a number in short", "%(number)s M")
    else:
        size, said = billion, pgettext("a number in short", "%(number)s bn")
    decimals = 1 if value % size else 0
    shown = formats.number_format(value / size, decimals, use_l10n=True, force_grouping=True)
    return (said % {"number": shown}).replace(" ", "\N{NO-BREAK SPACE}")


@cache
def _separator(language: str | None) -> str:
    return str(formats.get_format("THOUSAND_SEPARATOR", language, use_l10n=True))


@register.filter
def figure(row: Model, name: str) -> int:
    """One of a row's counts, as its column is named."""
    value: int = getattr(row, name)
    return value


@register.filter
def file_of_figures(chart: BarChart, moments: str) -> str:
    """A chart's figures as a CSV file in an address, for a link to download."""
    return f"data:text/csv;charset=utf-8,{quote(chart.csv(moments))}"


@register.filter
def percent(part: float, whole: float) -> str:
    """The share of a whole; neither some are shown as 0 % nor not quite all as 100 %."""
    if not whole:
        return "–"
    share = 100 * part / whole
    decimals = 1 if 0 < share < 1 or 99 < share < 100 else 0
    beyond = ""
    if 0 < share < 0.05:
        beyond, share = "<", 0.1
    elif 99.95 <= share < 100:
        beyond, share = ">", 99.9
    shown = formats.number_format(round(share, decimals), decimals)
    return f"{beyond}{shown}\N{NO-BREAK SPACE}%"


@register.filter
def duration(value: timedelta | float | None) -> str:
    """Seconds or a timedelta in the two largest units."""
    if value is None or value == "":
        return "–"
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if seconds < 10:
        return _("%(seconds)s s") % {"seconds": formats.number_format(round(seconds, 1), 1)}
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        text = ngettext("%(days)d day %(hours)d h", "%(days)d days %(hours)d h", days)
        return text % {"days": days, "hours": hours}
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    if minutes:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": rest}
    return _("%(seconds)s s") % {"seconds": rest}


@register.filter
def roughly(value: timedelta) -> str:
    """A time that is a guess, as `workspaces.estimates` rounds it: without what would be nought."""
    minutes, seconds = divmod(round(value.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    if hours and minutes:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    if hours:
        return _("%(hours)d h") % {"hours": hours}
    if minutes and seconds:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": seconds}
    if minutes:
        return _("%(minutes)d min") % {"minutes": minutes}
    return _("%(seconds)s s") % {"seconds": seconds}


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
    exactly = f"{_written(local, 'DATETIME_FORMAT')} {local.tzname()}"
    return _time(local, exactly, ago(moment))


@register.simple_tag
def at(moment: datetime | None, otherwise: str = "–") -> str:
    """The exact local time; how long ago on hover."""
    if moment is None:
        return otherwise
    local = timezone.localtime(moment)
    return _time(local, ago(moment), _written(local, "SHORT_DATETIME_FORMAT"))


def _time(local: datetime, title: str, text: str) -> SafeString:
    """What `format_html` would make in three times as long: lists have hundreds of them."""
    exactly = local.isoformat(timespec="seconds")
    return SafeString(f'<time datetime="{exactly}" title="{escape(title)}">{escape(text)}</time>')


@register.filter
def written(moment: date, form: str) -> str:
    """As Django's `date`, which takes 0.1 ms to write a day: charts have dozens."""
    if isinstance(moment, datetime):
        return _written(timezone.localtime(moment), form)
    return _written_in(get_language(), moment, form)


def _written(local: datetime, form: str) -> str:
    to_the_minute = local.replace(tzinfo=None, second=0, microsecond=0)
    return _written_in(get_language(), to_the_minute, form)


@lru_cache(10_000)
def _written_in(language: str | None, to_the_minute: date, form: str) -> str:
    return formats.date_format(to_the_minute, form)


@register.filter
def initials(name: str) -> str:
    """Up to two letters that stand for a person or a workspace."""
    words = name.split("@")[0].replace(".", " ").replace("-", " ").replace("_", " ").split()
    return "".join(word[0] for word in words[:2]).upper()
