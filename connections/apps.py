from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConnectionsConfig(AppConfig):
    name = "connections"

    def ready(self) -> None:
        from connections import home_parts, notices
        from connections.vouching import vouched_for, why_role_must_stay
        from workspaces import audit, home, members
        from workspaces.models import Role
        from workspaces.notices import topics

        members.add_guard(why_role_must_stay)
        members.add_belongings(vouched_for)
        home.add_step(30, home_parts.connect)
        home.add_stat(40, home_parts.connections)
        home.add_notices(home_parts.needing_a_person)
        topics.add(
            40,
            topics.Topic(
                notices.TOPIC,
                _("A connection needs sign-in"),
                _("Its exports wait until an Administrator signs in to Constant Contact again."),
                action="connection.change",
                emailed=frozenset({Role.ADMINISTRATOR}),
            ),
        )
        topics.add_event(topics.EventKind(notices.EVENT, _("A connection needs sign-in")))
        audit.name_actions(
            {
                "connection.created": _("Connection added"),
                "connection.changed": _("Connection changed"),
                "connection.consent_given": _("Consent given"),
                "connection.consent_withdrawn": _("Consent withdrawn"),
                "connection.authorised": _("Connection authorised"),
                "connection.export_user_changed": _("Export user changed"),
                "connection.needs_sign_in": _("Connection needs sign-in"),
                "connection.removed": _("Connection removed"),
            }
        )
        audit.name_details({"shared_with": _("shared with"), "sharing": _("shared with")})
