"""The contact fields in words for people, in the groups in which they are offered."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from connections.constant_contact.fields import CONTACT_FIELDS
from exports.configuration import CUSTOM_FIELD_PREFIX

_PARTS: dict[str, Promise] = {
    "street": _("Street"),
    "street2": _("Street, second line"),
    "city": _("City"),
    "state": _("State or province"),
    "zip": _("Postal code"),
    "country": _("Country"),
}

GROUPS: list[tuple[Promise, dict[str, Promise]]] = [
    (
        _("Person"),
        {
            "email": _("Email"),
            "first_name": _("First name"),
            "last_name": _("Last name"),
            "job_title": _("Job title"),
            "company_name": _("Company"),
            "birthday": _("Birthday"),
            "anniversary": _("Anniversary"),
        },
    ),
    (
        _("Telephone"),
        {
            "phone": _("Phone"),
            "home_phone": _("Home phone"),
            "work_phone": _("Work phone"),
            "mobile_phone": _("Mobile phone"),
            "other_phone": _("Other phone"),
        },
    ),
    (_("Address"), dict(_PARTS)),
    (_("Home address"), {f"home_{name}": label for name, label in _PARTS.items()}),
    (_("Work address"), {f"work_{name}": label for name, label in _PARTS.items()}),
    (_("Other address"), {f"other_{name}": label for name, label in _PARTS.items()}),
]

_GROUP_OF = {name: group for group, fields in GROUPS for name in fields}
_LABELS = {name: label for _group, fields in GROUPS for name, label in fields.items()}


def label(field: str) -> str:
    """Its name on its own, out of its group: parts of an address name the address."""
    if field.startswith(CUSTOM_FIELD_PREFIX):
        return field.removeprefix(CUSTOM_FIELD_PREFIX).replace("_", " ")
    if field not in _LABELS:
        return CONTACT_FIELDS[field].label if field in CONTACT_FIELDS else field
    if field.rpartition("_")[2] in _PARTS and field not in _PARTS:
        return f"{_GROUP_OF[field]}: {_LABELS[field]}"
    return str(_LABELS[field])


def choices() -> list[tuple[Promise, list[tuple[str, Promise]]]]:
    """Every field but the address, which is matched on its own."""
    return [
        (group, [(name, label) for name, label in fields.items() if name != "email"])
        for group, fields in GROUPS
    ]


OFFERED = frozenset(_LABELS) - {"email"}
