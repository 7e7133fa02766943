"""What a page's address asks for: its order, what is sought, what a form that asks more keeps."""

from django import template
from django.template.context import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from workspaces.templatetags.components import icon

register = template.Library()


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
