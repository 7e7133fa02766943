"""The quick tags say what Django's own do."""

from typing import Any

import pytest
from django.template import Context, Engine
from django.urls import NoReverseMatch, reverse
from django.utils import translation

from config.quick_urls import address


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("home", []),
        ("workspaces:home", ["a-shop"]),
        ("segments:segment_detail", ["a-shop", 7]),
        ("segments:segment_detail", ["a-shop", "7"]),
        ("workspaces:invitation", ["a-shop", "x_-Y"]),
        ("openid_connect_login", ["côte d’azur?#"]),
    ],
)
def test_an_address_is_the_one_that_reverse_gives(name: str, values: list[Any]) -> None:
    assert address(name, *values) == reverse(name, args=values)


@pytest.mark.parametrize("values", [[], ["shop"], ["shop", -1], ["shop", ""], ["shop", 1, 2]])
def test_what_is_no_address_is_none(values: list[Any]) -> None:
    with pytest.raises(NoReverseMatch):
        address("segments:segment_detail", *values)


@pytest.mark.parametrize(
    "template",
    [
        "{% trans 'Segments' %} {% translate \"Save\" %}",
        "{% trans '100 % <b>&amp;</b>' %}",
        "{% trans 'Left' context 'went away' %}{% trans 'Save' as it %}{{ it }}",
        "{% trans name %}{% trans 'Save'|upper %}",
        "{% url 'workspaces:home' slug %}{% url 'workspaces:home' slug=slug as at %}{{ at }}",
    ],
)
def test_templates_say_the_same_in_every_language(template: str) -> None:
    ours = Engine.get_default()
    django = Engine(libraries={"i18n": "django.templatetags.i18n"})
    context = {"name": "Save", "slug": "a-shop"}
    for language in ("en", "ca", "es"):
        with translation.override(language):
            said = ours.from_string("{% load i18n %}" + template).render(Context(context))
            usual = django.from_string("{% load i18n %}" + template).render(Context(context))
            assert said == usual
