"""What goes wrong below, as the problems that the API answers with."""

from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from api.problems import OF_STATUS, Problem
from connections import access
from connections import services as connection_services
from connections.provider.errors import ProviderError
from exports.destinations import ChangedMeanwhile, DestinationProblem, NameTaken
from exports.lists import ListProblem
from exports.runs import RunActive, RunRefused
from segments import attributes, entries, erasures, imports, segment_services, sources, sql_sources
from segments.databases.problems import DatabaseProblem
from segments.encodings import UnreadableFile
from segments.preview import TooSlow
from segments.rule_tree import RuleError
from workspaces import invitations, members, two_step
from workspaces.leaving import archives
from workspaces.notices import endpoints
from workspaces.services import RefreshActive, RefreshOver

# The first that fits: subclasses come before their bases.
OF_EXCEPTION: list[tuple[type[Exception], str]] = [
    (ChangedMeanwhile, "changed_meanwhile"),
    (NameTaken, "name_taken"),
    (DestinationProblem, "refused"),
    (ListProblem, "provider_unavailable"),
    (ProviderError, "provider_unavailable"),
    (access.NotUsable, "provider_unavailable"),
    (RunActive, "already_running"),
    (RunRefused, "refused"),
    (RefreshActive, "already_running"),
    (RefreshOver, "refused"),
    (archives.ArchiveActive, "already_running"),
    (sql_sources.LoadActive, "already_running"),
    (imports.SourceBusy, "already_running"),
    (sources.Refused, "refused"),
    (attributes.Refused, "refused"),
    (segment_services.Refused, "refused"),
    (erasures.Refused, "refused"),
    (connection_services.Refused, "refused"),
    (invitations.Refused, "refused"),
    (members.Refused, "refused"),
    (two_step.Refused, "refused"),
    (endpoints.Refused, "name_taken"),
    (entries.TooMany, "unreadable_file"),
    (UnreadableFile, "unreadable_file"),
    (DatabaseProblem, "refused"),
    (TooSlow, "too_slow"),
]


def handle(api: NinjaAPI) -> None:
    # Its type of a handler takes the exception's class for an instance of it, too.
    add: Any = api.add_exception_handler
    for exception, code in OF_EXCEPTION:
        add(exception, _answer(code))
    add(RuleError, _rules)
    add(ValidationError, _invalid)
    add(Problem, lambda request, problem: problem.response())
    add(Http404, lambda request, _e: Problem("not_found").response())
    add(PermissionDenied, lambda request, _e: Problem("forbidden").response())
    add(RequestDataTooBig, lambda request, _e: Problem("too_large").response())
    add(HttpError, _of_ninja)


def _answer(code: str) -> Any:
    return lambda request, problem: Problem(code, str(problem)).response()


def _rules(request: HttpRequest, nonsense: RuleError) -> HttpResponse:
    pointer = "/rules" + "".join(f"/rules/{place}" for place in nonsense.path)
    return Problem("invalid_rules", str(nonsense), pointer=pointer).response()


def _invalid(request: HttpRequest, invalid: ValidationError) -> HttpResponse:
    errors = [
        {"pointer": "/" + "/".join(map(str, _where(error["loc"]))), "detail": error["msg"]}
        for error in invalid.errors
    ]
    first = f"{errors[0]['pointer']}: {errors[0]['detail']}" if errors else ""
    return Problem("invalid_request", first, errors=errors).response()


def _where(path: tuple[Any, ...]) -> tuple[Any, ...]:
    """Within the body, or the name of the parameter: without ninja's own name for the whole."""
    return path[2:] if path[0] == "body" and len(path) > 2 else path[1:]


def _of_ninja(request: HttpRequest, error: HttpError) -> HttpResponse:
    code = OF_STATUS.get(error.status_code, "bad_request")
    return Problem(code, str(error)).response()
