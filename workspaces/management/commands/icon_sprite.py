"""Rebuilds the icon sprite from the package of Tabler Icons."""

import tarfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workspaces import icons


class Command(BaseCommand):
    help = (
        "Rebuild the icon sprite from Tabler Icons. Get the package with `npm pack @tabler/icons`."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("package", type=Path, help="the packed npm package, a .tgz file")
        parser.add_argument("--add", nargs="+", default=[], metavar="NAME", help="icons to add")
        parser.add_argument(
            "--remove", nargs="+", default=[], metavar="NAME", help="icons to leave out"
        )

    def handle(
        self, *args: Any, package: Path, add: list[str], remove: list[str], **_: Any
    ) -> None:
        present = icons.names() if icons.sprite_path().exists() else frozenset[str]()
        wanted = sorted((present | set(add)) - set(remove))
        found: dict[str, str] = {}
        with tarfile.open(package) as archive:
            for member in archive:
                folder, _slash, file = member.name.rpartition("/")
                name = file.removesuffix(".svg")
                if folder == "package/icons/outline" and name in wanted:
                    stream = archive.extractfile(member)
                    assert stream is not None  # noqa: S101
                    found[name] = stream.read().decode()
        if missing := [name for name in wanted if name not in found]:
            raise CommandError(f"Tabler Icons has no icon called {', '.join(missing)}.")
        symbols = [icons.symbol(name, found[name]) for name in wanted]
        icons.sprite_path().write_text(icons.sprite(symbols))
        self.stdout.write(f"{len(symbols)} icons in {icons.sprite_path()}")
