from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config import correlation, heartbeat, queues  # noqa: F401 - they listen, and measure
