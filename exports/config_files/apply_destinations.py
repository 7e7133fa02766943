"""Exports, as a file says them: their connections, lists and segments by name."""

from connections.models import Connection
from exports import destinations, forms, lists
from exports.config_files import current, parts
from exports.config_files.document import Destination as Said
from exports.config_files.document import Document, Problem
from exports.config_files.yaml_text import Path
from exports.lists import ContactList, ListProblem, Way
from exports.matching import EMAIL
from exports.models import Destination
from segments.models import Attribute, Segment
from workspaces.models import User, Workspace
from workspaces.posted import posted

PLACES: dict[str, Path] = {
    "email": ("matching", EMAIL),
    "picked": ("list",),
    "way": ("list",),
    "name": (),
}


def apply(workspace: Workspace, wanted: Document, before: Document, by: User | None) -> None:
    """Raises `Problem`."""
    for name, said in (wanted.destinations or {}).items():
        if said == (before.destinations or {}).get(name):
            continue
        there = (
            Destination.objects.select_related("workspace", "connection").filter(name=name).first()
        )
        path: Path = ("destinations", name)
        details = _details(workspace, name, said, there, path)
        try:
            if there is None:
                kept = destinations.create(workspace, by=by, details=details)
            elif destinations.details_of(there).described() != details.described():
                kept = destinations.update(there, by=by, details=details, seen=None)
            else:
                kept = there
        except destinations.DestinationProblem as problem:
            raise Problem(path, problem) from problem
        timing = parts.timing_of(said.schedule, kept, (*path, "schedule"))
        with parts.unless_as_it_was(lambda kept=kept: _timing(kept)):  # type: ignore[misc]
            destinations.reschedule(kept, by=by, timing=timing)


def _timing(kept: Destination) -> object:
    return current.timing(Destination.objects.get(pk=kept.pk))


def _details(
    workspace: Workspace, name: str, said: Said, there: Destination | None, path: Path
) -> destinations.Details:
    connection = _connection(said, path)
    contact_list = _contact_list(said, connection, there, path)
    matches = dict(said.matching)
    _check_attributes(matches, path)
    data = posted(
        name=name,
        connection=connection.pk if connection else None,
        way=Way.PICK.value,
        picked=contact_list.id or "none yet",
        email=matches.pop(EMAIL, ""),
        field=list(matches),
        attribute=list(matches.values()),
        segments=_segments(said, path),
        mode=said.mode,
        removal_share=said.removal_share,
    )
    form = forms.DestinationForm(
        data, connections=[connection] if connection else [], destination=there
    )
    if connection is None:
        form.fields["connection"].required = False
    _require_valid(form, path)
    if connection is not None:
        found = form.details()
        if found is None:
            _require_valid(form, path)
        else:
            return found
    return destinations.Details(
        name=name,
        connection=None,
        contact_list=contact_list,
        matching=form.matches,
        segments=form.cleaned_data["segments"],
        mode=said.mode,
        removal_share=said.removal_share,
    )


def _require_valid(form: forms.DestinationForm, path: Path) -> None:
    """With the lines of the data matching, which are no fields of the form."""
    form.is_valid()
    for row in form.rows:
        for text in row.errors:
            raise Problem((*path, "matching", row.target), text)
    parts.require_valid(form, path, PLACES)


def _connection(said: Said, path: Path) -> Connection | None:
    if said.connection is None:
        return None
    usable = Connection.objects.exclude(state=Connection.State.DRAFT)
    found = usable.filter(name=said.connection).first()
    if found is None:
        names = ", ".join(f"“{one.name}”" for one in usable.order_by("name")) or "none"
        raise Problem(
            (*path, "connection"),
            f"There is no connection “{said.connection[:100]}”. An Administrator adds it under"
            f" Admin > Connections; there are: {names}.",
        )
    return found


def _contact_list(
    said: Said, connection: Connection | None, there: Destination | None, path: Path
) -> ContactList:
    """One that stays as it was is not asked for. Raises `Problem`."""
    stays = connection is None or (there and there.connection_id == connection.pk and there.list_id)
    if there is not None and there.list_name == said.list and stays:
        return ContactList(there.list_id, there.list_name)
    if connection is None:
        return ContactList("", said.list)
    try:
        known = lists.lists_of(connection, fresh=True)
    except ListProblem as problem:
        raise Problem((*path, "list"), problem) from problem
    found = next((one for one in known if one.name == said.list), None)
    if found is None:
        raise Problem(
            (*path, "list"),
            f"The account of “{connection.name}” has no list “{said.list[:100]}”. Make it there, or"
            " mend the name.",
        )
    return found


def _segments(said: Said, path: Path) -> list[int]:
    known = {str(one.name): one for one in Segment.objects.all()}
    found: list[int] = []
    for name in said.segments:
        one = known.get(name)
        if one is None or one.is_draft:
            why = "is a draft" if one else "is not there"
            raise Problem(
                (*path, "segments"),
                f"The segment “{name[:100]}” {why}. Name one that is finished.",
            )
        found.append(one.pk)
    return found


def _check_attributes(matches: dict[str, str], path: Path) -> None:
    known = set(Attribute.objects.values_list("name", flat=True))
    for field, attribute in matches.items():
        if attribute not in known:
            raise Problem(
                (*path, "matching", field),
                f"There is no attribute “{attribute[:100]}”. Add it to the file’s attributes, or"
                " mend the name.",
            )
