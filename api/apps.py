from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApiConfig(AppConfig):
    name = "api"

    def ready(self) -> None:
        from api import tokens
        from workspaces import audit, members

        members.add_belongings(tokens.belongings)
        audit.name_actions(
            {
                "token.created": _("API token created"),
                "token.revoked": _("API token revoked"),
            }
        )
        audit.name_details(
            {
                "token": _("API token"),
                "scopes": _("scopes"),
                "addresses": _("addresses"),
                "expires": _("expires"),
                "service": _("for a service"),
            }
        )
