"""`url` and `translate` as Django has them, but quick: long pages hold hundreds of each.

Django translates by way of a promise that is kept at once; of addresses see `quick_urls`.
"""

from typing import Any

from django.template import Library, Node
from django.template.base import FilterExpression, Parser, Token
from django.template.context import Context
from django.template.defaulttags import URLNode, url
from django.templatetags import i18n
from django.utils.html import conditional_escape
from django.utils.translation import gettext

from config.quick_urls import address

register = Library()
register.tags = dict(i18n.register.tags)
register.filters = dict(i18n.register.filters)


class QuickURLNode(URLNode):
    """`{% url "name" first second %}`."""

    def render(self, context: Context) -> str:
        found = address(self.view_name.var, *(one.resolve(context) for one in self.args))
        return conditional_escape(found) if context.autoescape else found


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
