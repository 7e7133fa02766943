"""Data matching: which attribute can feed which contact field, and which probably should."""

import re
from collections.abc import Iterable

from connections.constant_contact.fields import CONTACT_FIELDS
from segments.models import Attribute, AttributeType

EMAIL = "email"
USUAL = ("first_name", "last_name")

# Names that people give the attribute of a field, beside the field's own name and label.
ALIASES: dict[str, tuple[str, ...]] = {
    "email": ("emailaddress", "mail", "emailaddress1", "primaryemail", "correu", "correo"),
    "first_name": ("givenname", "forename", "fname", "nom", "nombre"),
    "last_name": ("surname", "familyname", "lname", "cognom", "cognoms", "apellido", "apellidos"),
    "job_title": ("jobtitle", "position", "occupation"),
    "company_name": ("company", "organisation", "organization", "employer"),
    "birthday": ("birthdate", "dateofbirth", "dob"),
    "anniversary": ("anniversarydate",),
    "phone": ("phonenumber", "telephone", "tel"),
    "home_phone": ("homephonenumber",),
    "work_phone": ("workphonenumber", "businessphone"),
    "mobile_phone": ("mobile", "cellphone", "mobilenumber"),
    "street": ("address", "addressline1", "address1", "streetaddress"),
    "street2": ("addressline2", "address2"),
    "city": ("town", "locality"),
    "state": ("stateprovince", "stateprovincecode", "province", "region"),
    "zip": ("postalcode", "postcode", "zipcode"),
    "country": ("countryname", "countryregion", "countrycode"),
}

DATES = {AttributeType.DATE, AttributeType.DATETIME}


def fits(field: str, attribute: Attribute) -> bool:
    """Whether the attribute's type can feed the field; of a custom one only the account knows."""
    if field not in CONTACT_FIELDS:
        return True
    kind = CONTACT_FIELDS[field].kind
    if kind == "email":
        return attribute.type == AttributeType.TEXT
    if kind in ("date", "birthday"):
        return attribute.type in DATES
    return True


def proposed(field: str, attributes: Iterable[Attribute]) -> Attribute | None:
    """The attribute that most probably feeds the field, judged by its name; None if none does."""
    wanted = [_plain(field), _plain(str(CONTACT_FIELDS[field].label)), *ALIASES.get(field, ())]
    found = [
        (wanted.index(name), attribute.position, attribute)
        for attribute in attributes
        if fits(field, attribute)
        for name in (_plain(attribute.name), _plain(attribute.label))
        if name in wanted
    ]
    return min(found, key=lambda ranked: ranked[:2])[2] if found else None


def proposals(attributes: list[Attribute]) -> dict[str, str]:
    """Contact field to the name of its proposed attribute, for every field that has one."""
    found = {field: proposed(field, attributes) for field in CONTACT_FIELDS}
    return {field: attribute.name for field, attribute in found.items() if attribute}


def usual(attributes: list[Attribute]) -> dict[str, str]:
    """What a new export starts from: the address, first and last name, where they are found."""
    known = proposals(attributes)
    return {field: known[field] for field in (EMAIL, *USUAL) if field in known}


def ordered(matches: dict[str, str]) -> list[tuple[str, str]]:
    """The pairs in the order of the contact's fields, the address first."""
    order = [*CONTACT_FIELDS]
    return sorted(
        matches.items(),
        key=lambda pair: (order.index(pair[0]) if pair[0] in order else len(order), pair[0]),
    )


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())
