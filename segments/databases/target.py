"""Where a database is and who reads from it."""

from dataclasses import dataclass, field

from django.db import models
from django.utils.translation import gettext_lazy as _


class Encryption(models.TextChoices):
    VERIFY = "verify", _("Encrypted, and the server’s certificate checked")
    REQUIRE = "require", _("Encrypted")
    OFF = "off", _("Not encrypted: only inside a network of your own")


@dataclass(frozen=True)
class Target:
    """`database` is a file's path, in the workspace's own folder `home`, where `kind` reads files.

    `options` are the further names that some kinds ask for.
    """

    kind: str
    host: str = ""
    port: int = 0
    database: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    encryption: str = Encryption.REQUIRE.value
    options: dict[str, str] = field(default_factory=dict)
    home: str = ""


@dataclass(frozen=True)
class Table:
    """A table or a view; `label` is what people call it."""

    schema: str
    name: str

    @property
    def label(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name
