"""Members are told once when something begins, once when it is over, and each in their way."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from django_scopes import scope

from tests.workspaces.factories import MembershipFactory, WorkspaceFactory, signed_in
from workspaces.models import AuditEntry, Notice, Role, Trouble, User, Workspace
from workspaces.notices import emails, inbox, telling, topics
from workspaces.sentences import gettext as _


@pytest.fixture(autouse=True)
def some_topics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "_topics", {})
    topics.add(1, topics.Topic("leak", "A leak", "When it drips."))
    topics.add(
        2,
        topics.Topic("keys", "Keys", "Lost.", "member.view", frozenset({Role.ADMINISTRATOR})),
    )


def begin(workspace: Workspace, topic: str = "leak") -> bool:
    text = _("The segment “%(segment)s” is not active.") % {"segment": "<b>Tap</b>"}
    return telling.begins(workspace, topic, "tap:1", text, f"/w/{workspace.slug}/")


def over(workspace: Workspace) -> bool:
    return telling.ends(workspace, "leak", "tap:1", _("Dry again."), f"/w/{workspace.slug}/")


def test_a_trouble_is_told_once_and_its_end_once(workspace: Any) -> None:
    member = MembershipFactory(workspace=workspace)
    assert begin(workspace)
    assert not begin(workspace)
    assert [str(one.tone) for one in inbox.notices_of(member)] == ["bad"]
    emails.send_due()
    assert over(workspace)
    assert not over(workspace)
    assert [str(one.tone) for one in inbox.notices_of(member)] == ["good", "bad"]
    assert inbox.unread(member) == 1
    emails.send_due()
    emails.send_due()
    assert len(mail.outbox) == 2
    assert begin(workspace)
    assert Trouble.objects.count() == 2


def test_who_is_told_is_who_it_concerns_and_how_is_their_choice(workspace: Any) -> None:
    boss = MembershipFactory(workspace=workspace)
    viewer = MembershipFactory(workspace=workspace, role=Role.VIEWER)
    begin(workspace, "keys")
    assert [one.membership for one in Notice.objects.all()] == [boss]
    begin(workspace)
    assert inbox.unread(viewer) == 1
    assert not Notice.objects.filter(membership=viewer, email_at__isnull=False).exists()
    telling.ends(workspace, "leak", "tap:1")
    inbox.choose(viewer, {"leak": (False, True)}, by=viewer.user)
    inbox.choose(boss, {"leak": (False, False)}, by=boss.user)
    begin(workspace)
    told = Notice.objects.order_by("-pk").first()
    assert (told.membership, told.in_app, told.email_at is None) == (viewer, False, False)
    assert inbox.unread(viewer) == 0
    assert AuditEntry.objects.filter(action="notices.chosen").count() == 2


def test_an_e_mail_is_text_and_html_in_the_members_language(workspace: Any) -> None:
    member = MembershipFactory(workspace=workspace)
    User.objects.filter(pk=member.user_id).update(language="ca")
    begin(workspace)
    assert emails.send_due() == 1
    (message,) = mail.outbox
    html = message.alternatives[0].content
    assert message.to == [member.user.email]
    assert "<b>Tap</b>" in message.body
    assert "&lt;b&gt;Tap" in html
    assert '<html lang="ca">' in html
    assert f"/w/{workspace.slug}/admin/notices/" in message.body
    assert "\n" not in message.subject


def test_a_mail_server_that_is_away_is_tried_again_and_given_up(
    workspace: Any, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    MembershipFactory(workspace=workspace)
    begin(workspace)
    now = timezone.now()
    assert emails.send_due(now) == 0
    notice = Notice.objects.get()
    assert notice.email_at > now
    assert emails.send_due(now) == 0
    for _attempt in emails.WAITS:
        Notice.objects.update(email_at=now)
        emails.send_due(now)
    notice.refresh_from_db()
    assert (notice.email_at, notice.email_attempts) == (None, len(emails.WAITS) + 1)


def test_what_heals_before_anybody_heard_is_not_written_of(workspace: Any) -> None:
    MembershipFactory(workspace=workspace)
    begin(workspace)
    telling.ends(workspace, "leak", "tap:1")
    assert emails.send_due() == 0
    assert mail.outbox == []


def test_the_bell_counts_and_a_notice_leads_to_its_page_once(workspace: Any) -> None:
    client = signed_in(workspace, Role.VIEWER)
    begin(workspace)
    home = f"/w/{workspace.slug}/"
    assert "1 new notice" in client.get(home).content.decode()
    page = client.get(f"{home}notices/").content.decode()
    assert "&lt;b&gt;Tap" in page
    notice = Notice.objects.get(membership=client.member)
    assert client.get(f"{home}notices/{notice.pk}/").url == home
    assert "new notice" not in client.get(home).content.decode()
    begin(workspace, "leak") or telling.ends(workspace, "leak", "tap:1")
    begin(workspace)
    client.post(f"{home}notices/read/")
    assert inbox.unread(client.member) == 0


def test_another_members_notice_is_not_there(workspace: Any) -> None:
    MembershipFactory(workspace=workspace)
    begin(workspace)
    notice = Notice.objects.get()
    client = signed_in(workspace)
    assert client.get(f"/w/{workspace.slug}/notices/{notice.pk}/").status_code == 404
    elsewhere = signed_in(WorkspaceFactory())
    there = elsewhere.member.workspace.slug
    assert elsewhere.get(f"/w/{there}/notices/{notice.pk}/").status_code == 404


def test_each_member_chooses_on_the_page_and_only_what_concerns_them(workspace: Any) -> None:
    client = signed_in(workspace, Role.CONTRIBUTOR)
    where = f"/w/{workspace.slug}/admin/notices/"
    page = client.get(where).content.decode()
    assert "A leak" in page
    assert "Keys" not in page
    assert "Endpoints" not in page
    client.post(where, {"leak-email": "on", "keys-email": "on"})
    (way,) = inbox.ways_of(client.member)
    assert (way.in_app, way.by_email) == (False, True)


def test_the_share_of_rejected_profiles_is_the_administrators_to_set(workspace: Any) -> None:
    where = f"/w/{workspace.slug}/admin/notices/share/"
    assert signed_in(workspace, Role.CONTRIBUTOR).post(where).status_code == 403
    boss = signed_in(workspace)
    boss.post(where, {"rejected_share": "101"})
    workspace.refresh_from_db()
    assert workspace.rejected_share == 5
    boss.post(where, {"rejected_share": "20"})
    workspace.refresh_from_db()
    assert workspace.rejected_share == 20
    assert AuditEntry.objects.filter(action="notices.share_changed").count() == 1


def test_old_notices_are_forgotten(workspace: Any) -> None:
    MembershipFactory(workspace=workspace)
    begin(workspace)
    Notice.objects.update(email_at=None)
    inbox.forget_old()
    assert Notice.objects.count() == 1
    Notice.objects.update(created_at=timezone.now() - inbox.KEPT - timedelta(days=1))
    inbox.forget_old()
    assert not Notice.objects.exists()


def test_the_language_that_pages_are_read_in_is_kept_for_e_mails(workspace: Any) -> None:
    client = signed_in(workspace)
    client.post("/language/setlang/", {"language": "es", "next": "/"})
    client.get(f"/w/{workspace.slug}/")
    assert User.objects.get(pk=client.member.user_id).language == "es"


def test_a_trouble_of_one_workspace_is_none_of_anothers(workspace: Any) -> None:
    begin(workspace)
    other = WorkspaceFactory()
    with scope(workspace=other):
        assert begin(other)
