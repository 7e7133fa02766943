"""`url` and `translate` as Django has them, but quick: long pages hold hundreds of each.

Django looks an address up anew each time, 0.1 ms, though of the same page only what is filled in
differs; and translates by way of a promise that is kept at once.
"""

import re
from functools import cache
from typing import Any

from django.template import Library, Node
from django.template.base import FilterExpression, Parser, Token
from django.template.context import Context
from django.template.defaulttags import URLNode, url
from django.templatetags import i18n
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse
from django.utils.html import conditional_escape
from django.utils.translation import gettext

register = Library()
register.tags = dict(i18n.register.tags)
register.filters = dict(i18n.register.filters)

# What needs no quoting in an address.
PLAIN = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
# Stand for what is filled in; nothing in an address looks like them.
A_NUMBER, A_TEXT = 7_295_318_460_000, "standing-in-7295318460-{}"


class QuickURLNode(URLNode):
    """`{% url "name" first second %}`."""

    def render(self, context: Context) -> str:
        values = [one.resolve(context) for one in self.args]
        found = address(self.view_name.var, values)
        if found is None:
            return str(super().render(context))
        return conditional_escape(found) if context.autoescape else found


def address(name: str, values: list[Any]) -> str | None:
    """What `reverse` makes of plain values; None where there is more to it."""
    kinds = tuple(type(one) for one in values)
    form = _form(name, kinds, get_urlconf(), get_script_prefix())
    if form is None or not all(map(_is_plain, values)):
        return None
    return form.format(*values)


def _is_plain(value: Any) -> bool:
    return value >= 0 if isinstance(value, int) else PLAIN.fullmatch(value) is not None


@cache
def _form(name: str, kinds: tuple[type, ...], urlconf: Any, prefix: str) -> str | None:
    """An address with places for values of these kinds."""
    if not set(kinds) <= {int, str}:
        return None
    stand_ins: list[Any] = [
        A_NUMBER + place if kind is int else A_TEXT.format(place)
        for place, kind in enumerate(kinds)
    ]
    try:
        form = reverse(name, urlconf, stand_ins)
    except NoReverseMatch:
        return None
    form = form.replace("{", "{{").replace("}", "}}")
    for place, stand_in in enumerate(stand_ins):
        form = form.replace(str(stand_in), f"{{{place}}}")
    return form


@register.tag("url")
def quick_url(parser: Parser, token: Token) -> Node:
    node = url(parser, token)
    is_plain = not (node.kwargs or node.asvar) and _says(node.view_name)
    return QuickURLNode(node.view_name, node.args, {}, None) if is_plain else node


class SaidNode(Node):
    """`{% translate "words" %}`, and nothing more to it."""

    child_nodelists = ()

    def __init__(self, words: str) -> None:
        self.words = words.replace("%", "%%")

    def render(self, context: Context) -> str:
        return gettext(self.words).replace("%%", "%")


@register.tag("translate")
@register.tag("trans")
def quick_translate(parser: Parser, token: Token) -> Node:
    node = i18n.do_translate(parser, token)
    is_plain = not (node.noop or node.asvar or node.message_context)
    if is_plain and _says(node.filter_expression):
        return SaidNode(str(node.filter_expression.var.literal))
    return node


def _says(expression: FilterExpression) -> bool:
    """Whether it is a text as it stands."""
    if expression.filters:
        return False
    var: Any = expression.var
    return isinstance(var, str) or isinstance(getattr(var, "literal", None), str)
