"""The contact fields that an import takes, with the lengths that are safe to send.

Reference: https://developer.constantcontact.com/api_guide/import_contacts.html

The provider's documents differ, and an import never says which contact it refused. So the length
here is the smaller of what its specification and the help of its file import (article 37423) say:
telephone, postal code and country 25, not 50. With two exceptions, where the smaller one would
refuse people whom the provider's own contacts may hold: an e-mail address 80 as a contact has it
(the specification of imports says 50), a street 255 as both contact and import have it (the help
says 50). Nothing is cut to fit: what is longer is refused before it is sent, and named.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["email", "text", "date", "birthday"]


@dataclass(frozen=True)
class ContactField:
    name: str
    label: str
    max_length: int
    kind: Kind = "text"


def _address(prefix: str, label: str) -> list[ContactField]:
    return [
        ContactField(f"{prefix}street", f"{label} street", 255),
        ContactField(f"{prefix}street2", f"{label} street, second line", 255),
        ContactField(f"{prefix}city", f"{label} city", 50),
        ContactField(f"{prefix}state", f"{label} state", 50),
        ContactField(f"{prefix}zip", f"{label} postal code", 25),
        ContactField(f"{prefix}country", f"{label} country", 25),
    ]


CONTACT_FIELDS: dict[str, ContactField] = {
    field.name: field
    for field in (
        ContactField("email", "Email", 80, "email"),
        ContactField("first_name", "First name", 50),
        ContactField("last_name", "Last name", 50),
        ContactField("job_title", "Job title", 50),
        ContactField("company_name", "Company", 50),
        ContactField("birthday", "Birthday", 10, "birthday"),
        ContactField("anniversary", "Anniversary", 10, "date"),
        ContactField("phone", "Phone", 25),
        ContactField("home_phone", "Home phone", 25),
        ContactField("work_phone", "Work phone", 25),
        ContactField("mobile_phone", "Mobile phone", 25),
        ContactField("other_phone", "Other phone", 25),
        *_address("", "Address:"),
        *_address("home_", "Home:"),
        *_address("work_", "Work:"),
        *_address("other_", "Other:"),
    )
}
