from workspaces.leaving.models import Archive, DeletedWorkspace
from workspaces.models.audit import AuditEntry, AuditLink
from workspaces.models.members import (
    CapturedDomain,
    Installation,
    Invitation,
    KeptFor,
    Membership,
    Role,
    User,
    Workspace,
)
from workspaces.models.refreshes import Refresh, RefreshStep, Schedule
from workspaces.notices.models import (
    Endpoint,
    EndpointDelivery,
    Event,
    Notice,
    NoticeChoice,
    Trouble,
)

__all__ = [
    "Archive",
    "AuditEntry",
    "AuditLink",
    "CapturedDomain",
    "DeletedWorkspace",
    "Endpoint",
    "EndpointDelivery",
    "Event",
    "Installation",
    "Invitation",
    "KeptFor",
    "Membership",
    "Notice",
    "NoticeChoice",
    "Refresh",
    "RefreshStep",
    "Role",
    "Schedule",
    "Trouble",
    "User",
    "Workspace",
]
