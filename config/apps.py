from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        # They listen, and measure. Tracing tells what correlation has bound.
        from config import correlation, heartbeat, queues, tracing  # noqa: F401

        tracing.install()
