"""The contact fields that an import takes, with the lengths that are safe to send.

Reference: https://developer.constantcontact.com/api_guide/import_contacts.html
Where the provider's own documents differ (an address may have 50 characters in imports and 80
elsewhere), the length here is the one its file import states.
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
        ContactField(f"{prefix}zip", f"{label} postal code", 50),
        ContactField(f"{prefix}country", f"{label} country", 50),
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
