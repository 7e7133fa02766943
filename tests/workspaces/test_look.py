"""The components: forms that say what is wrong where, icons that exist, a look for every state."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django import forms
from django.apps import apps
from django.conf import settings
from django.template import Context, Template, TemplateSyntaxError
from django.test import Client, RequestFactory
from django.utils import timezone, translation

from scripts import tabler_styles
from tests.workspaces.factories import UserFactory, sign_in
from workspaces import icons, statuses
from workspaces.templatetags import segue
from workspaces.views.styleguide import styleguide


def render(source: str, **context: Any) -> str:
    return Template("{% load segue %}" + source).render(Context(context))


class ContactForm(forms.Form):
    email = forms.EmailField(label="E-mail", help_text="Where we write to.")
    note = forms.CharField(label="Note", required=False)
    colour = forms.ChoiceField(
        label="Colour", choices=[("r", "Red"), ("g", "Green")], widget=forms.RadioSelect
    )


def test_an_error_stands_beside_its_field_and_is_tied_to_it() -> None:
    html = str(ContactForm({"email": "nonsense", "colour": "r"}))
    field = re.search(r"<input[^>]*name=\"email\"[^>]*>", html)[0]
    assert 'aria-invalid="true"' in field
    described = re.search(r'aria-describedby="([^"]+)"', field)[1].split()
    assert all(f'id="{name}"' in html for name in described)
    assert any(name.endswith("_error") for name in described)
    assert 'value="nonsense"' in field


def test_a_field_that_may_stay_empty_says_so() -> None:
    html = str(ContactForm())
    assert re.search(r"Note <span class=\"optional\">optional</span>", html)
    assert html.count("optional</span>") == 1


def test_choices_are_a_group_with_a_legend() -> None:
    html = str(ContactForm())
    assert re.search(r"<fieldset.*?<legend[^>]*>Colour", html, re.S)


def test_an_unknown_icon_raises() -> None:
    assert "#send" in render('{% icon "send" %}')
    with pytest.raises(TemplateSyntaxError, match="no icon is called"):
        render('{% icon "no-such-icon" %}')


def test_every_state_of_every_model_has_a_look() -> None:
    states = {
        value
        for model in apps.get_models()
        for field in model._meta.fields
        if field.name in ("state", "refresh_state") and field.choices
        for value, _label in field.choices
    }
    assert {"succeeded_with_rejections", "needs_sign_in", "confirmed"} <= states
    assert states <= set(statuses.LOOKS)
    assert {look.icon for look in statuses.LOOKS.values()} <= icons.names()


def test_every_icon_named_in_a_template_is_in_the_sprite() -> None:
    named = set()
    for path in (settings.BASE_DIR / "templates").rglob("*.html"):
        named |= set(re.findall(r'{% icon "([^"]+)"', path.read_text()))
        named |= set(re.findall(r'\bicon="([^"]+)"', path.read_text()))
    assert named <= icons.names()


def test_the_styles_sent_are_those_of_the_classes_in_use() -> None:
    sent = tabler_styles.RESULT.read_text()
    assert sent == tabler_styles.made(), "run `make styles`"
    assert ".btn-primary{" in sent
    assert ".carousel" not in sent
    assert ".carousel{" in tabler_styles.subset(
        tabler_styles.SOURCE.read_text(), {"carousel"}, ours=""
    )


def test_every_page_says_in_a_sentence_what_it_is() -> None:
    said = re.compile(r'<p class="(page-lead|lead-note|text-secondary)|<p>')
    silent = [
        path.name
        for path in (settings.BASE_DIR / "templates").rglob("*.html")
        if 'extends "base.html"' in (source := path.read_text())
        and "{% block content %}" in source
        and not said.search(source)
    ]
    assert silent == []


def test_a_component_sees_only_what_it_is_given() -> None:
    html = render(
        '{% component "card" %}{{ title }}{% fill "footer" %}the end{% endfill %}'
        "{% endcomponent %}",
        title="of the page",
    )
    assert "of the page" in html
    assert "<h2" not in html
    assert "the end" in html


def test_a_place_that_is_not_named_in_quotes_is_refused() -> None:
    with pytest.raises(TemplateSyntaxError, match="in quotes, not footer"):
        render('{% component "card" %}{% fill footer %}lost{% endfill %}{% endcomponent %}')


def test_what_a_component_is_given_is_escaped() -> None:
    html = render('{% component "card" title=name %}x{% endcomponent %}', name="<script>")
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.42, "0.4 s"),
        (75, "1 min 15 s"),
        (timedelta(hours=2, minutes=3), "2 h 3 min"),
        (timedelta(days=1, hours=4), "1 day 4 h"),
        (None, "–"),
    ],
)
def test_durations(value: Any, expected: str) -> None:
    assert render("{{ value|duration }}", value=value) == expected


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [(1, 3, "33"), (1, 1000, "0.1"), (999, 1000, "99.9"), (0, 7, "0"), (7, 7, "100")],
)
def test_shares_never_round_to_a_lie(part: int, whole: int, expected: str) -> None:
    assert render("{{ part|percent:whole }}", part=part, whole=whole).split("\xa0")[0] == expected


def test_numbers_are_grouped_as_the_language_does() -> None:
    assert render("{{ n|number }}", n=1234567) == "1,234,567"
    with translation.override("ca"):
        assert render("{{ n|number }}", n=1234567) == "1.234.567"


def test_the_styleguide_shows_everything(db: None) -> None:
    request: Any = RequestFactory().get("/styleguide/")
    request.user = UserFactory()
    html = styleguide(request).content.decode()
    assert html.count("status-badge") >= len(statuses.LOOKS)
    templates = settings.BASE_DIR / "templates"
    source = (templates / "workspaces/styleguide.html").read_text()
    shown = set(re.findall(r'components/(\w+)\.html|{% component "(\w+)"', source))
    shown_names = {name for pair in shown for name in pair} | {"status"}
    # A status is what the tag `badge` renders.
    assert {path.stem for path in (templates / "components").glob("*.html")} <= shown_names


def test_the_styleguide_is_nowhere_in_production(db: None) -> None:
    assert Client().get("/styleguide/").status_code == 404


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/email/", "/workspaces/new/"])
def test_nothing_in_a_page_needs_a_laxer_policy(db: None, path: str) -> None:
    client = Client() if "login" in path else sign_in(Client(), UserFactory())
    answer = client.get(path)
    html = answer.content.decode()
    assert "style=" not in html
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert not re.search(r"\son[a-z]+=", html)
    assert "'unsafe" not in answer["Content-Security-Policy"]


def test_a_page_that_is_not_there_leads_back(db: None) -> None:
    answer = Client().get("/no-such-page/")
    assert answer.status_code == 404
    assert "Nothing here" in answer.content.decode()


def test_the_language_chosen_is_kept(db: None) -> None:
    client = Client()
    client.post("/language/setlang/", {"language": "ca", "next": "/accounts/login/"})
    assert '<html lang="ca">' in client.get("/accounts/login/").content.decode()


@pytest.mark.parametrize(
    ("language", "ago", "ahead"),
    [
        ("en", "1 day, 6 hours ago", "1 day, 6 hours from now"),
        ("ca", "fa 1 dia, 6 hores", "d’aquí a 1 dia, 6 hores"),
        ("es", "hace 1 día, 6 horas", "dentro de 1 día, 6 horas"),
    ],
)
def test_what_is_to_come_is_not_told_as_if_it_had_been(language: str, ago: str, ahead: str) -> None:
    away = timedelta(days=1, hours=6, minutes=1)
    with translation.override(language):
        for moment, said in ((timezone.now() - away, ago), (timezone.now() + away, ahead)):
            assert f">{said}<" in segue.when(moment).replace("\xa0", " ")
