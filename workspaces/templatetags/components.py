"""The pieces that pages are made of: icons, components, badges of states, options of selects."""

import re
from collections.abc import Iterable
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
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

from workspaces import icons, statuses

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
def options(
    groups: SafeString | Iterable[tuple[str | None, list[dict[str, Any]], int]],
) -> SafeString:
    """The options of a select widget's groups, if the widget has not drawn them."""
    if isinstance(groups, SafeString):
        return groups
    return SafeString("".join(_group(name, found) for name, found, _at in groups))


@register.simple_tag
def options_of(offered: Iterable[Any], chosen: Model | None) -> SafeString:
    """The options of a select of what has a key and a name: of segments there are hundreds."""
    key = chosen.pk if chosen else None
    return SafeString(
        "".join(
            f'<option value="{one.pk}"{" selected" if one.pk == key else ""}>'
            f"{escape(one.name)}</option>"
            for one in offered
        )
    )


@register.filter
def chosen(options: SafeString, value: str | None) -> SafeString:
    """Options that are drawn already, with one of them selected."""
    if not value:
        return options
    here = f'value="{escape(value)}"'
    return SafeString(options.replace(here, f"{here} selected", 1))


@register.filter
def links(found: Iterable[tuple[str, str]]) -> SafeString:
    """Labels that lead to their addresses, one after the other."""
    drawn = (f'<a href="{escape(url)}">{escape(label)}</a>' for label, url in found)
    return SafeString(", ".join(drawn))


@register.filter
@lru_cache(1_000)
def tag_link(tag: str) -> SafeString:
    """A tag that leads to all that have it, on the page of their list."""
    return format_html('<a class="tag" href="?tag={}">{}</a>', quote(tag, safe=""), tag)


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
