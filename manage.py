#!/usr/bin/env python
"""Segue's commands. Those that need PostgreSQL and Redis start the embedded ones if none run."""

import os
import sys

WITHOUT_SERVICES = {
    "help",
    "up",
    "sandbox",
    "makemessages",
    "collectstatic",
    "icon_sprite",
    "completion",
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    asks_for_help = {"--help", "-h", "--version"} & set(sys.argv[1:])
    if os.environ.get("DATABASE_URL") or command in WITHOUT_SERVICES or asks_for_help:
        execute_from_command_line(sys.argv)
        return
    from config.embedded import EmbeddedServices, ServiceFailed

    try:
        with EmbeddedServices().using() as started:
            if started and command not in {"migrate", "makemigrations", "doctor"}:
                execute_from_command_line([sys.argv[0], "migrate", "--verbosity=0"])
            execute_from_command_line(sys.argv)
    except ServiceFailed as failure:
        sys.exit(str(failure))


if __name__ == "__main__":
    main()
