"""Rows that differ in a few values only: one of a kind is made, the others are filled in.

Making a row by its template costs a millisecond; a page has many, of two or three kinds.
"""

import html
import re
import secrets
from typing import Any

from django import template
from django.template.base import FilterExpression, Node, NodeList, Parser, Token, token_kwargs
from django.template.context import Context
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

register = template.Library()

# Digits stay what they are in addresses, attributes and sentences; nobody can guess these.
BLANK = f"{secrets.randbelow(10**15) + 10**15}"
BLANKS = re.compile(BLANK + r"(\d\d)")


class AlikeNode(Node):
    def __init__(
        self,
        kind: dict[str, FilterExpression],
        values: dict[str, FilterExpression],
        nodelist: NodeList,
    ) -> None:
        self.kind, self.values, self.nodelist = kind, values, nodelist
        self.blanks = {name: f"{BLANK}{at:02}" for at, name in enumerate(values)}

    def render(self, context: Context) -> SafeString:
        kind = tuple(one.resolve(context) for one in self.kind.values())
        known: Any = context.render_context.setdefault(self, {})  # type: ignore[arg-type]
        if kind not in known:
            # Texts, and numbers of values by turns.
            pieces = BLANKS.split(self._made(context, kind))
            form = "%s".join(text.replace("%", "%%") for text in pieces[::2])
            known[kind] = form, [int(number) for number in pieces[1::2]]
        form, numbers = known[kind]
        values = [_escaped(one.resolve(context)) for one in self.values.values()]
        return SafeString(form % tuple([values[number] for number in numbers]))

    def _made(self, context: Context, kind: tuple[Any, ...]) -> str:
        """It sees nothing else of its row: that would be another row's on all that are alike."""
        shared = {key: context.get(key) for key in ("request", "csrf_token", "workspace")}
        inner = context.new({**shared, **dict(zip(self.kind, kind, strict=True)), **self.blanks})
        return str(self.nodelist.render(inner))


def _escaped(value: Any) -> str:
    """As Django does, which looks for what is lazy first: there are hundreds of plain ones."""
    if type(value) is str:
        return html.escape(value)
    return str(value) if type(value) in (int, SafeString) else conditional_escape(value)


@register.tag
def alike(parser: Parser, token: Token) -> AlikeNode:
    """`{% alike editable=row.editable with key=row.pk name=row.name %}…{% endalike %}`.

    What is before `with` the content may ask about; what comes after it is only put in, as it is.
    """
    _tag, *arguments = token.split_contents()
    at = arguments.index("with")
    kind, values = arguments[:at], arguments[at + 1 :]
    node_kind, node_values = token_kwargs(kind, parser), token_kwargs(values, parser)
    if kind or values:
        raise template.TemplateSyntaxError("alike takes name=value pairs, `with`, and more of them")
    nodelist = parser.parse(("endalike",))
    parser.delete_first_token()
    return AlikeNode(node_kind, node_values, nodelist)
