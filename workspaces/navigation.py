"""The sidebar's sections, as the member at hand may see them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.quick_urls import address
from workspaces import permissions


@dataclass(frozen=True)
class Page:
    """A page with those below it; `beside` names folders next to its own that are its too."""

    url_name: str
    label: Promise | str
    icon: str
    action: str
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Link:
    """A page in the sidebar; `current` is what `aria-current` says, or empty."""

    url: str
    label: Promise | str
    icon: str
    current: str


@dataclass
class Section:
    label: Promise | str
    links: list[Link] = field(default_factory=list)


SECTIONS: list[tuple[Promise | str, list[Page]]] = [
    ("", [Page("workspaces:home", _("Home"), "home", "workspace.view")]),
    (
        _("Data"),
        [
            Page(
                "segments:source_list",
                _("Sources"),
                "database",
                "workspace.view",
                beside=("uploads", "imports"),
            ),
            Page(
                "segments:profile_list",
                _("Profiles"),
                "address-book",
                "workspace.view",
                beside=("erasures",),
            ),
            Page("segments:attribute_list", _("Attributes"), "columns", "workspace.view"),
            Page("segments:segment_list", _("Segments"), "chart-pie", "workspace.view"),
            Page("segments:suppression_list", _("Suppressions"), "ban", "workspace.view"),
            Page("exports:destination_list", _("Exports"), "send", "workspace.view"),
        ],
    ),
    (
        _("Admin"),
        [
            Page("connections:list", _("Connections"), "plug-connected", "workspace.change"),
            Page("workspaces:members", _("Members"), "users", "member.view"),
            Page("workspaces:schedule", _("Schedule"), "calendar-time", "schedule.view"),
            Page("workspaces:notice_settings", _("Notices"), "bell", "notice.view"),
            Page("workspaces:audit", _("Audit log"), "history", "audit.view"),
            Page("api_pages:token_list", _("API"), "key", "workspace.view"),
        ],
    ),
]


def sections(request: HttpRequest) -> list[Section]:
    found = [Section(label, list(_links(request, pages))) for label, pages in SECTIONS]
    return [section for section in found if section.links]


def _links(request: HttpRequest, pages: list[Page]) -> Iterator[Link]:
    member = request.membership  # type: ignore[attr-defined]
    for page in pages:
        if not permissions.may(member, page.action):
            continue
        url = address(page.url_name, member.workspace.slug)
        yield Link(url, page.label, page.icon, _current(request.path, url, page))


def _current(path: str, url: str, page: Page) -> str:
    if path == url:
        return "page"
    above = url.rstrip("/").rpartition("/")[0]
    folders = (url, *(f"{above}/{name}/" for name in page.beside))
    inside = path.startswith(folders) and page.url_name != "workspaces:home"
    return "true" if inside else ""
