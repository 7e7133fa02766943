"""The lines that a person adds to an export's data matching, and what is wrong with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from connections.models import Connection
from exports import contact_fields, custom_fields, matching
from segments.models import Attribute


@dataclass
class Row:
    """One added line of the data matching, as it was entered."""

    target: str = ""
    attribute: str = ""
    errors: list[str] = field(default_factory=list)

    @property
    def is_custom(self) -> bool:
        return custom_fields.is_custom(self.target)


def rows_of(matches: Mapping[str, str]) -> list[Row]:
    return [
        Row(name, attribute)
        for name, attribute in matching.ordered(dict(matches))
        if name != matching.EMAIL
    ]


def check(rows: list[Row], known: Mapping[str, Attribute]) -> bool:
    """Adds what is wrong to each row; whether nothing is. `known` are the attributes by name."""
    seen: set[str] = set()
    for row in rows:
        row.errors.extend(_errors(row, seen, known))
        seen.add(row.target)
    for row in [row for row in rows if row.is_custom][custom_fields.MOST :]:
        row.errors.append(
            _("A contact takes at most %(most)d custom fields. Remove some.")
            % {"most": custom_fields.MOST}
        )
    return not any(row.errors for row in rows)


def fit_custom_fields(
    rows: list[Row],
    known: Mapping[str, Attribute],
    connection: Connection,
    kept: Mapping[str, str],
) -> bool:
    """As `check`, for custom fields: asks the account for those that are not matched so already.

    Raises `ListProblem` when it can't be asked.
    """
    new = [row for row in rows if row.is_custom and kept.get(row.target) != row.attribute]
    if not new:
        return True
    there = {one.target: one for one in custom_fields.custom_fields_of(connection)}
    for row in new:
        problem = custom_fields.problem_of(row.target, known[row.attribute], there)
        if problem:
            row.errors.append(problem)
    return not any(row.errors for row in new)


def _errors(row: Row, seen: set[str], known: Mapping[str, Attribute]) -> list[str]:
    if row.target not in contact_fields.OFFERED and not row.is_custom:
        return [_("Choose the contact field that this attribute feeds.")]
    if row.target in seen:
        return [
            _("%(field)s is matched twice. Remove one of the two.")
            % {"field": contact_fields.label(row.target)}
        ]
    attribute = known.get(row.attribute)
    if attribute is None:
        return [
            _("Choose the attribute that feeds %(field)s.")
            % {"field": contact_fields.label(row.target)}
        ]
    if not matching.fits(row.target, attribute):
        return [
            _(
                "%(field)s is a date, and %(attribute)s holds %(type)s. Choose an attribute"
                " that holds dates."
            )
            % {
                "field": contact_fields.label(row.target),
                "attribute": attribute.label,
                "type": str(attribute.get_type_display()).lower(),
            }
        ]
    return []
