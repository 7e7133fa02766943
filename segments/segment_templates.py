"""Rules to start from, fitted to the attributes that the workspace has."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from segments.models import Attribute, Segment
from segments.operators import BOOLEAN, DAYS, NUMBERS, TEXT
from segments.rule_sentence import sentence
from segments.selectors import address_attributes, words
from segments.suggestions import spread, suggest
from workspaces.models import Workspace

# What attributes are called, in English, Catalan and Spanish.
BIRTH = re.compile(r"birth|born|bday|\bdob\b|naix|nacim|aniversari|cumple", re.IGNORECASE)
JOINED = re.compile(r"creat|join|since|regist|sign.?up|subscri|alta|first.?(order|pur)", re.I)
ACTIVE = re.compile(r"last.?(?!name)|activ|seen|visit|login|recent|[uú]ltim|darrer", re.IGNORECASE)
PLACE = re.compile(r"city|town|ciutat|ciudad|poblaci|provinc|region|country|pa[ií]s", re.IGNORECASE)
AMOUNT = re.compile(
    r"income|spen[dt]|total|amount|revenue|value|points|orders|purchases|sales"
    r"|punts|puntos|import|comand|pedid|vend|vent|ingres",
    re.IGNORECASE,
)
NEW_DAYS, QUIET_DAYS, BIRTHDAY_DAYS = 30, 180, 7


@dataclass(frozen=True)
class Template:
    """`rules` makes the tree, with values that the workspace's profiles have."""

    name: str
    icon: str
    title: str
    text: str
    rules: Callable[[], dict[str, Any]]


def fitting(workspace: Workspace) -> list[Template]:
    """The templates for which the workspace has an attribute."""
    attributes = list(Attribute.objects.all())
    days = [one for one in attributes if one.type in DAYS]
    birth, active = _named(days, BIRTH), _named(days, ACTIVE)
    rest = [one for one in days if one not in (birth, active)]
    joined = _named(rest, JOINED) or next(iter(rest), None)
    addresses = set(address_attributes())
    mail = next((one for one in attributes if one.type == TEXT and one.name in addresses), None)
    return [
        *_of_birth(birth),
        *_of_joining(joined),
        *_of_activity(active),
        *_of_place(workspace, _named(_typed(attributes, TEXT), PLACE)),
        *_of_amount(workspace, _named(_typed(attributes, *NUMBERS), AMOUNT)),
        *_of_yes(next(iter(_typed(attributes, BOOLEAN)), None)),
        *_of_mail(mail),
        *_of_others(mail),
    ]


def find(workspace: Workspace, name: str) -> Template | None:
    if not name:
        return None
    return next((one for one in fitting(workspace) if one.name == name), None)


def _typed(attributes: Iterable[Attribute], *types: str) -> list[Attribute]:
    return [one for one in attributes if one.type in types]


def _named(attributes: Iterable[Attribute], pattern: re.Pattern[str]) -> Attribute | None:
    return next((one for one in attributes if pattern.search(f"{one.name} {one.label}")), None)


def _rule(attribute: Attribute, operator: str, value: Any = None, **more: Any) -> dict[str, Any]:
    given = {} if value is None else {"value": value}
    return {"attribute": attribute.name, "operator": operator, **given, **more}


def _group(*rules: dict[str, Any], match: str = "all") -> dict[str, Any]:
    return {"match": match, "rules": list(rules)}


def _fixed(name: str, icon: str, title: str, tree: dict[str, Any]) -> Template:
    """One whose rules are the same whatever values there are; its text are the rules in words."""
    return Template(name, icon, title, sentence(tree, *words()), lambda: tree)


def _of_birth(birth: Attribute | None) -> list[Template]:
    if birth is None:
        return []
    title = _("Birthday in the next %(days)d days") % {"days": BIRTHDAY_DAYS}
    tree = _group(_rule(birth, "anniversary_in_days", BIRTHDAY_DAYS))
    return [_fixed("birthday", "calendar-event", title, tree)]


def _of_joining(joined: Attribute | None) -> list[Template]:
    if joined is None:
        return []
    new = _group(_rule(joined, "in_last", NEW_DAYS, unit="days"))
    jubilee = _group(
        _rule(joined, "anniversary_today"), _rule(joined, "longer_ago", 1, unit="months")
    )
    return [
        _fixed("new", "user-plus", _("New in the last %(days)d days") % {"days": NEW_DAYS}, new),
        _fixed("jubilee", "flag", _("Anniversary as a customer"), jubilee),
    ]


def _of_activity(active: Attribute | None) -> list[Template]:
    if active is None:
        return []
    quiet = _group(
        _rule(active, "longer_ago", QUIET_DAYS, unit="days"),
        _rule(active, "is_empty"),
        match="any",
    )
    recent = _group(_rule(active, "in_last", NEW_DAYS, unit="days"))
    no_activity = _("No activity for %(days)d days") % {"days": QUIET_DAYS}
    activity = _("Active in the last %(days)d days") % {"days": NEW_DAYS}
    return [
        _fixed("quiet", "moon", no_activity, quiet),
        _fixed("active", "bolt", activity, recent),
    ]


def _of_place(workspace: Workspace, place: Attribute | None) -> list[Template]:
    if place is None:
        return []
    return [
        Template(
            "place",
            "building",
            _("In one place"),
            _("%(attribute)s is one of those you choose. It begins with the most frequent.")
            % {"attribute": place.label},
            lambda: _group(_rule(place, "is_any_of", _most_frequent(workspace, place))),
        )
    ]


def _most_frequent(workspace: Workspace, attribute: Attribute) -> list[str]:
    return [value for value, _count in suggest(workspace, attribute.name).values[:1]]


def _of_amount(workspace: Workspace, amount: Attribute | None) -> list[Template]:
    if amount is None:
        return []
    return [
        Template(
            "best",
            "arrow-up",
            _("The top tenth"),
            _("%(attribute)s is at least what one in ten reach today.")
            % {"attribute": amount.label},
            lambda: _group(_rule(amount, "at_least", _top_tenth(workspace, amount))),
        )
    ]


def _top_tenth(workspace: Workspace, amount: Attribute) -> str:
    found = spread(workspace, amount)
    return str(found.high) if found else ""


def _of_yes(flag: Attribute | None) -> list[Template]:
    if flag is None:
        return []
    title = _("%(attribute)s: yes") % {"attribute": flag.label}
    return [_fixed("yes", "toggle-left", title, _group(_rule(flag, "is_yes")))]


def _of_mail(mail: Attribute | None) -> list[Template]:
    if mail is None:
        return []
    title = _("Everybody with an e-mail address")
    return [_fixed("mail", "mail", title, _group(_rule(mail, "is_not_empty")))]


def _of_others(mail: Attribute | None) -> list[Template]:
    largest = Segment.objects.exclude(refreshed_at=None).order_by("-member_count", "name").first()
    if mail is None or largest is None:
        return []
    tree = _group(_rule(mail, "is_not_empty"), {"segment": largest.pk, "operator": "not_member"})
    return [_fixed("others", "users-group", _("Everybody but those of a segment"), tree)]
