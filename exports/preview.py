"""What a run would do, before anything is saved or sent: counts, requests, ten contacts."""

from dataclasses import dataclass
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _

from exports import contact_fields, foreseen, matching, reasons
from exports.account import Account, account
from exports.configuration import ConfigurationError, RunConfiguration, configuration_of
from exports.engine import plan
from exports.models import Destination
from segments.models import Segment


class PreviewProblem(Exception):
    """Why there is nothing to show; the message is for people."""


@dataclass(frozen=True)
class LeftOut:
    key: str
    address: str
    reason: str
    text: str


@dataclass(frozen=True)
class PreviewPage:
    """`fields` are the contact's fields, `columns` their labels, `contacts` the values by row."""

    account: Account
    requests: int
    new_to_account: int
    foreseen: foreseen.Foreseen
    fields: list[str]
    columns: list[str]
    contacts: list[list[str]]
    left_out: list[LeftOut]
    leaving: plan.Leaving
    wants_approval: bool
    warnings: list[str]

    @property
    def sent(self) -> int:
        return self.account.sent


def configured(destination: Destination, segments: list[Segment]) -> RunConfiguration:
    """What a run of the destination, saved or not, would work from. Raises `PreviewProblem`."""
    if not segments:
        raise PreviewProblem(_("Select at least one segment to see who would be sent."))
    try:
        return configuration_of(
            _as_the_next_run_sees_it(destination), [segment.pk for segment in segments]
        )
    except ConfigurationError as problem:
        raise PreviewProblem(str(problem)) from problem


def page_of(configuration: RunConfiguration, found: plan.Preview) -> PreviewPage:
    """What was found, in words."""
    matches = {one.field: one.attribute for one in configuration.matches}
    ordered = [
        name
        for name, _attribute in matching.ordered({matching.EMAIL: configuration.email, **matches})
    ]
    segments = Segment.objects.filter(pk__in=configuration.segment_ids).order_by("name")
    return PreviewPage(
        account=account(found.counts, found.in_segments),
        requests=found.requests,
        new_to_account=found.new_to_account,
        foreseen=foreseen.of(configuration.account_id, found.requests),
        fields=ordered,
        columns=[contact_fields.label(name) for name in ordered],
        contacts=[[_value(contact, name) for name in ordered] for contact in found.sample],
        left_out=[
            LeftOut(one.key, one.address, reasons.label(one.reason), _text(one))
            for one in found.left_out
        ],
        leaving=found.leaving,
        wants_approval=found.leaving.needs_approval(configuration.removal_share),
        warnings=_warnings(list(segments), found.in_segments),
    )


def _as_the_next_run_sees_it(destination: Destination) -> Destination:
    """What went to another account or list is forgotten by the next run, so here too."""
    connection = destination.connection
    lies_at = f"{connection.account_id if connection else ''}:{destination.list_id}"
    if destination.pk is None or destination.delivered_to == lies_at:
        return destination
    return Destination(
        workspace_id=destination.workspace_id,
        connection=connection,
        list_id=destination.list_id,
        list_name=destination.list_name,
        matching=destination.matching,
    )


def _value(contact: dict[str, Any], field: str) -> str:
    if field == "birthday":
        month, day = contact.get("birthday_month"), contact.get("birthday_day")
        return f"{month:02d}-{day:02d}" if month and day else ""
    return str(contact.get(field) or "")


def _text(left_out: plan.LeftOut) -> str:
    return reasons.text(left_out.reason, left_out.detail)


def _warnings(segments: list[Segment], in_segments: int) -> list[str]:
    warnings = [
        _("The segment “%(segment)s” has never been refreshed, so it counts nobody yet.")
        % {"segment": segment}
        for segment in segments
        if segment.refreshed_at is None
    ]
    warnings += inactive_warnings(segments)
    if in_segments > plan.MAX_PROFILES:
        warnings.append(
            _(
                "The segments hold %(count)s profiles, and one export sends at most %(most)s:"
                " the run would be refused. Select fewer segments, or make them smaller."
            )
            % {
                "count": formats.number_format(in_segments, force_grouping=True),
                "most": formats.number_format(plan.MAX_PROFILES, force_grouping=True),
            }
        )
    return warnings


def inactive_warnings(segments: list[Segment]) -> list[str]:
    """What an inactive segment does to the runs of an export."""
    return [
        _(
            "The segment “%(segment)s” is inactive: the export’s runs are skipped until it is"
            " activated or taken out."
        )
        % {"segment": segment}
        for segment in segments
        if not segment.is_active
    ]
