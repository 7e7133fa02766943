"""What the pages of exports need: the account's bar, the next run."""

from datetime import datetime
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from exports import contact_fields, flow
from exports.account import Account
from exports.models import Destination
from exports.steps import ORDER, Step
from workspaces import spreadsheet
from workspaces.templatetags.segue import when
from workspaces.written import number

register = template.Library()
register.filter("field_label", contact_fields.label)

GAP = 0.3


@register.inclusion_tag("components/steps.html")
def set_up_steps(step: Step) -> dict[str, Any]:
    """The way through the set-up, each step a button of its form that goes there."""
    shown = [{"label": one.label, "value": one.value} for one in ORDER]
    return {"steps": shown, "current": step.number}


@register.simple_tag
def account_bar(account: Account) -> SafeString:
    """The account as one bar, a piece for each fate that has profiles."""
    if not account.total:
        return SafeString("")
    spoken = ", ".join(f"{part.label}: {number(part.count)}" for part in account.present)
    pieces = format_html_join(
        "",
        '<rect class="fate-{}" x="{}%" width="{}%" height="100%"><title>{}: {}</title></rect>',
        (
            (
                part.fate,
                f"{part.start:.3f}",
                f"{max(part.width - GAP, GAP):.3f}",
                part.label,
                number(part.count),
            )
            for part in account.present
        ),
    )
    return format_html(
        '<svg class="account-bar" role="img" aria-label="{}">{}</svg>', spoken, pieces
    )


@register.simple_tag
def account_flow(account: Account) -> flow.Flow | None:
    """The account as a flow, for `exports/_flow.html`."""
    return flow.flow_of(account)


@register.filter
def file_of_account(account: Account) -> str:
    """The account as a CSV file in an address, for a link to download."""
    rows = [(str(part.label), str(part.explanation), part.count) for part in account.parts]
    rows.append((_("In segments"), "", account.in_segments))
    header = [_("Outcome"), _("What it means"), _("Profiles")]
    return spreadsheet.in_address(header, rows)


@register.simple_tag
def next_run(destination: Destination, moment: datetime | None) -> str:
    """When an export runs next by itself, or why it doesn't."""
    if destination.connection_id is None:
        return _("Rests until it has a connection")
    if destination.schedule == Destination.Schedule.OFF:
        return _("Runs only on demand")
    if moment is None:
        return _("The workspace’s schedule is off")
    return format_html("{} {}", _("Next:"), SafeString(when(moment)))
