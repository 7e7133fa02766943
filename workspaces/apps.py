from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WorkspacesConfig(AppConfig):
    name = "workspaces"

    def ready(self) -> None:
        from allauth.account.signals import user_logged_in
        from allauth.mfa.signals import authenticator_added

        from workspaces import domains, figures, home, home_parts, operations, retention, sessions
        from workspaces.leaving import archives, closing, deletion
        from workspaces.live import figures as live_figures
        from workspaces.live import going_on, pulse
        from workspaces.models import Role
        from workspaces.notices import topics
        from workspaces.scheduling import add_due_hook

        authenticator_added.connect(sessions.end_those_of_one_step)
        user_logged_in.connect(domains.take_in)

        for statement in going_on.ALL:
            pulse.add(statement)
        live_figures.add("refreshes", figures.refreshes_of_workspaces, figures.of_workspace)
        home.add_step(5, home_parts.make_a_workspace)
        home.add_notices(home_parts.failed_refresh)
        home.add_card(80, home_parts.refreshes)
        retention.add(retention.refreshes)
        operations.add(operations.stuck_refreshes)
        add_due_hook(closing.keep_stopped)
        add_due_hook(archives.look_after)
        add_due_hook(deletion.delete_due)
        topics.add(
            70,
            topics.Topic(
                archives.TOPIC,
                _("An archive is ready"),
                _("When all of the workspace can be downloaded, as an Administrator asked."),
                action="workspace.take_along",
                emailed=frozenset({Role.ADMINISTRATOR}),
            ),
        )
        topics.add(
            80,
            topics.Topic(
                closing.TOPIC,
                _("The workspace is to be deleted"),
                _("When an Administrator asks for it, and when that is taken back."),
                emailed=frozenset(Role.values),
                # Nothing is sent to a workspace's endpoints from then on.
                to_endpoints=False,
            ),
        )
