from django.apps import AppConfig


class WorkspacesConfig(AppConfig):
    name = "workspaces"

    def ready(self) -> None:
        from workspaces import home, home_parts, retention

        home.add_step(5, home_parts.make_a_workspace)
        home.add_notices(home_parts.failed_refresh)
        home.add_card(80, home_parts.refreshes)
        retention.add(retention.refreshes)
