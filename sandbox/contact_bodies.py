"""A contact as the API reads and writes it; inside, values have the names that imports use."""

from collections.abc import Callable
from typing import Any

from sandbox.answers import instant
from sandbox.bodies import checked_ids
from sandbox.errors import invalid
from sandbox.import_rows import EMAIL, birthday_makes_sense, is_date
from sandbox.people import CODES, Contact
from sandbox.state import Account

NAMES = ("first_name", "last_name")
TEXTS = ("job_title", "company_name")
BIRTHDAY = ("birthday_month", "birthday_day")
MAX_NAME = 50
MAX_EMAIL = 80
MAX_LISTS = 50
MAX_CUSTOM_FIELDS = 50
MAX_VALUE = 255
MAX_PHONES = MAX_ADDRESSES = 3
MAX_PHONE = 25
MAX_NOTES = 150
MAX_NOTE = 2_000
PHONES = {
    "phone": "other",
    "other_phone": "other",
    "home_phone": "home",
    "work_phone": "work",
    "mobile_phone": "mobile",
}
PHONE_OF_KIND = {kind: name for name, kind in PHONES.items()}
ADDRESSES = {"": "home", "home_": "home", "work_": "work", "other_": "other"}
ADDRESS_PARTS = {"street": 255, "city": 50, "state": 50, "postal_code": 50, "country": 50}
IMPORT_PARTS = {"postal_code": "zip"}


def shown_contact(account: Account, contact: Contact, include: set[str]) -> dict[str, Any]:
    more = contact.more
    shown: dict[str, Any] = {"contact_id": account.contact_id(contact)}
    if contact.email:
        shown["email_address"] = _shown_email(contact)
    for name, value in (("first_name", contact.first_name), ("last_name", contact.last_name)):
        if value:
            shown[name] = value
    shown |= {name: more[name] for name in (*TEXTS, *BIRTHDAY, "anniversary") if more.get(name)}
    shown |= {
        "create_source": "Account",
        "update_source": "Account",
        "created_at": instant(contact.created),
        "updated_at": instant(contact.updated),
    }
    if contact.deleted:
        shown["deleted_at"] = instant(contact.deleted)
    shown |= {name: SHOWN_PARTS[name](account, contact) for name in sorted(include)}
    return shown


def _shown_custom_fields(account: Account, contact: Contact) -> list[dict[str, Any]]:
    more = contact.more
    return [
        {"custom_field_id": known["custom_field_id"], "value": more[f"cf:{known['name']}"]}
        for known in account.custom_fields.values()
        if f"cf:{known['name']}" in more
    ]


def _shown_phones(account: Account, contact: Contact) -> list[dict[str, Any]]:
    more = contact.more
    return [
        {"phone_number": more[name], "kind": kind}
        for name, kind in PHONES.items()
        if more.get(name)
    ][:MAX_PHONES]


def _shown_email(contact: Contact) -> dict[str, Any]:
    email = {
        "address": contact.email,
        "permission_to_send": contact.permission,
        "created_at": instant(contact.created),
        "updated_at": instant(contact.updated),
        "opt_in_source": "Account",
        "opt_in_date": instant(contact.created),
        "confirm_status": "off",
    }
    if contact.opted_out:
        email |= {
            "opt_out_source": contact.opted_out_by,
            "opt_out_date": instant(contact.opted_out),
        }
    return email


def _shown_addresses(account: Account, contact: Contact) -> list[dict[str, Any]]:
    more, found = contact.more, []
    for prefix, kind in ADDRESSES.items():
        parts = {
            part: more.get(f"{prefix}{IMPORT_PARTS.get(part, part)}", "") for part in ADDRESS_PARTS
        }
        street = (parts["street"], more.get(f"{prefix}street2", ""))
        parts["street"] = " ".join(filter(None, street))
        if any(parts.values()):
            found.append({"kind": kind, **{part: text for part, text in parts.items() if text}})
    return found[:MAX_ADDRESSES]


SHOWN_PARTS: dict[str, Callable[[Account, Contact], list[Any]]] = {
    "custom_fields": _shown_custom_fields,
    "list_memberships": lambda account, contact: sorted(contact.lists),
    "notes": lambda account, contact: contact.more.get("notes", []),
    "phone_numbers": _shown_phones,
    "street_addresses": _shown_addresses,
    # There are no tags here.
    "taggings": lambda account, contact: [],
}
SUB_RESOURCES = set(SHOWN_PARTS)


class Asked:
    """What a POST or PUT asks for, checked; every fault is told at once.

    `more` holds the top-level values, `parts` the sub-resources that were sent; None is not sent.
    """

    def __init__(self, account: Account, body: dict[str, Any], source: str) -> None:
        self.account = account
        self.body = body
        self.faults: list[str] = []
        if body.get(source) is None:
            self.faults.append(f"{source} is missing")
        if body.get(source) not in ("Account", "Contact"):
            self._fault(source)
        self.source = body.get(source)
        self.email, self.permission = self._email()
        self.first_name, self.last_name = (self._text(name) for name in NAMES)
        self.more: dict[str, Any] = {name: self._text(name) for name in TEXTS}
        self._dates()
        self.parts = [
            part
            for part in (self._custom(), self._phones(), self._addresses(), self._notes())
            if part is not None
        ]
        self.lists = self._lists()
        if body.get("taggings"):
            self._fault("taggings")
        if not (self.email or self.first_name or self.last_name):
            self.faults.append("One of first_name, last_name, email_address.address is needed")
        if self.faults:
            raise invalid(", ".join(self.faults))

    def more_over(self, earlier: dict[str, Any]) -> dict[str, Any]:
        """What the contact then holds: sub-resources that were not sent stay."""
        top = {*TEXTS, *BIRTHDAY, "anniversary"}
        kept = {name: value for name, value in earlier.items() if name not in top}
        for replaced, values in self.parts:
            kept = {
                name: value for name, value in kept.items() if not name.startswith(replaced)
            } | values
        return kept | {name: value for name, value in self.more.items() if value}

    def _fault(self, name: str) -> None:
        self.faults.append(f"{name} does not have a valid value")

    def _text(self, name: str) -> str:
        value = self.body.get(name)
        if value is None:
            return ""
        if not isinstance(value, str) or len(value) > MAX_NAME:
            self._fault(name)
            return ""
        return value

    def _email(self) -> tuple[str, str | None]:
        asked = self.body.get("email_address")
        if asked is None:
            return "", None
        asked = asked if isinstance(asked, dict) else {}
        address, permission = asked.get("address"), asked.get("permission_to_send")
        if not isinstance(address, str) or len(address) > MAX_EMAIL or not EMAIL.fullmatch(address):
            self._fault("email_address.address")
            address = ""
        if permission is not None and permission not in CODES:
            self._fault("email_address.permission_to_send")
        return address, permission

    def _dates(self) -> None:
        anniversary = self.body.get("anniversary")
        if anniversary and not (isinstance(anniversary, str) and is_date(anniversary)):
            self._fault("anniversary")
        if not birthday_makes_sense(self.body):
            self._fault("birthday_month")
        self.more |= {name: self.body.get(name) for name in (*BIRTHDAY, "anniversary")}

    def _array(self, name: str, most: int) -> list[dict[str, Any]] | None:
        asked = self.body.get(name)
        if asked is None:
            return None
        if (
            not isinstance(asked, list)
            or len(asked) > most
            or not all(isinstance(one, dict) for one in asked)
        ):
            self._fault(name)
            return None
        return asked

    def _short(self, one: dict[str, Any], name: str, most: int) -> str:
        value = one.get(name) or ""
        if not isinstance(value, str) or len(value) > most:
            self._fault(name)
            return ""
        return value

    def _custom(self) -> tuple[tuple[str, ...], dict[str, Any]] | None:
        asked = self._array("custom_fields", MAX_CUSTOM_FIELDS)
        if asked is None:
            return None
        values = {}
        for one in asked:
            known = self.account.custom_fields.get(str(one.get("custom_field_id")))
            if known is None:
                self._fault("custom_field_id")
            else:
                values[f"cf:{known['name']}"] = self._short(one, "value", MAX_VALUE)
        return ("cf:",), values

    def _phones(self) -> tuple[tuple[str, ...], dict[str, Any]] | None:
        asked = self._array("phone_numbers", MAX_PHONES)
        if asked is None:
            return None
        values = {}
        for one in asked:
            name = PHONE_OF_KIND.get(one.get("kind", "other"))
            if name is None:
                self._fault("kind")
            else:
                values[name] = self._short(one, "phone_number", MAX_PHONE)
        return tuple(PHONES), values

    def _addresses(self) -> tuple[tuple[str, ...], dict[str, Any]] | None:
        asked = self._array("street_addresses", MAX_ADDRESSES)
        if asked is None:
            return None
        values = {}
        for one in asked:
            if one.get("kind") not in ("home", "work", "other"):
                self._fault("kind")
                continue
            for part, most in ADDRESS_PARTS.items():
                name = f"{one['kind']}_{IMPORT_PARTS.get(part, part)}"
                values[name] = self._short(one, part, most)
        names = [*(IMPORT_PARTS.get(part, part) for part in ADDRESS_PARTS), "street2"]
        return tuple(f"{prefix}{name}" for prefix in ADDRESSES for name in names), values

    def _notes(self) -> tuple[tuple[str, ...], dict[str, Any]] | None:
        asked = self._array("notes", MAX_NOTES)
        if asked is None:
            return None
        notes = [{"content": self._short(one, "content", MAX_NOTE)} for one in asked]
        return ("notes",), {"notes": notes}

    def _lists(self) -> frozenset[str] | None:
        asked = self.body.get("list_memberships")
        if asked is None:
            return None
        if not isinstance(asked, list) or len(asked) > MAX_LISTS:
            self._fault("list_memberships")
            return None
        lists = frozenset(checked_ids(asked, "list_memberships"))
        if not self.account.has_lists(lists):
            self.faults.append("list_memberships holds a list that does not exist")
        return lists
