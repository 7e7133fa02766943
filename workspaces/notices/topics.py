"""What members are told of, and which events endpoints may have: apps above add theirs."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from workspaces import permissions
from workspaces.models import Membership, Role


@dataclass(frozen=True)
class Topic:
    """`action` is the rule that a member must meet to be told at all.

    Told by e-mail from the start are the roles in `emailed`. Where endpoints may have it, it is an
    event of theirs, too: told as often as members are, when it begins and when it is over.
    """

    name: str
    label: Promise | str
    explanation: Promise | str
    action: str = "workspace.view"
    emailed: frozenset[str] = frozenset({Role.ADMINISTRATOR, Role.CONTRIBUTOR})
    to_endpoints: bool = True

    @property
    def event(self) -> str:
        return f"notice.{self.name}"

    def concerns(self, member: Membership) -> bool:
        return permissions.may(member, self.action)


@dataclass(frozen=True)
class EventKind:
    name: str
    label: Promise | str


_topics: dict[str, Topic] = {}
# An endpoint is always told when somebody tries it out.
TEST = EventKind("endpoint.test", _("A trial"))
_kinds: dict[str, EventKind] = {}


def add(order: int, topic: Topic) -> None:
    """Orders: failed 10, rejections 20, approval 30, connections 40, budget 50, summary 60."""
    _topics[topic.name] = topic
    _order[topic.name] = order


_order: dict[str, int] = {}


def add_event(kind: EventKind) -> None:
    _kinds[kind.name] = kind


def topics() -> list[Topic]:
    return sorted(_topics.values(), key=lambda topic: _order[topic.name])


def topic(name: str) -> Topic:
    return _topics[name]


def notice_kinds() -> list[EventKind]:
    """The events that tell what members are told."""
    return [EventKind(topic.event, topic.label) for topic in topics() if topic.to_endpoints]


def event_kinds() -> list[EventKind]:
    """The events that tell of everything as it happens, whether somebody has to know or not."""
    return [_kinds[name] for name in sorted(_kinds)]


def event_label(name: str) -> str:
    known = {kind.name: kind for kind in (TEST, *notice_kinds(), *event_kinds())}
    return str(known[name].label) if name in known else name
