"""`{% alike %}`: rows of one kind are made once, and filled in with what each has of its own."""

from typing import Any

from django.template import Context, Template

from workspaces.templatetags import alike

ROWS = (
    "{% load alike %}{% for row in rows %}"
    "{% alike editable=row.editable with key=row.key name=row.name %}"
    '<a href="/{{ key }}/" title="{{ name }}">{{ name }}</a>{% if editable %}*{% endif %}{{ more }}'
    "{{ row.secret }} 5 %{% endalike %}{% endfor %}"
)


def made(rows: list[dict[str, Any]]) -> str:
    return Template(ROWS).render(Context({"rows": rows, "more": "!"}))


def test_each_has_its_own_values_and_what_its_kind_shows() -> None:
    rows = [
        {"editable": True, "key": 1234567, "name": "One"},
        {"editable": False, "key": 2, "name": "Two"},
        {"editable": True, "key": 3, "name": "Three"},
    ]
    assert made(rows) == (
        '<a href="/1234567/" title="One">One</a>* 5 %'
        '<a href="/2/" title="Two">Two</a> 5 %'
        '<a href="/3/" title="Three">Three</a>* 5 %'
    )


def test_names_are_escaped_and_can_not_stand_for_other_values() -> None:
    hostile = f'"><script>{alike.BLANK}00{{{{ more }}}}'
    said = made([{"key": 1, "name": hostile}, {"key": 2, "name": "Two"}])
    assert "<script>" not in said
    assert said.count(f"&quot;&gt;&lt;script&gt;{alike.BLANK}00{{{{ more }}}}") == 2


def test_what_a_row_has_not_handed_over_is_not_shown_on_any() -> None:
    """It would be the first row's on all others."""
    assert "for one alone" not in made([{"key": 1, "name": "One", "secret": "for one alone"}])
