"""Makes a workspace with its first Administrator."""

import json
from argparse import ArgumentParser
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse

from workspaces import services, time_zones
from workspaces.models import User


class Command(BaseCommand):
    help = (
        "Make a workspace with its first Administrator. A person without an account gets one, and"
        " a link to set their password is printed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the workspace's name")
        parser.add_argument(
            "--admin", required=True, metavar="EMAIL", help="the first Administrator's address"
        )
        parser.add_argument(
            "--time-zone", default="UTC", help="such as Europe/Madrid (default: UTC)"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, name: str, admin: str, time_zone: str, **options: Any) -> None:
        try:
            validate_email(admin)
            time_zones.validate(time_zone)
        except ValidationError as error:
            raise CommandError(f"{admin}, {time_zone}: {' '.join(error.messages)}") from None
        if not name.strip() or len(name) > 100:
            raise CommandError("A workspace's name has between 1 and 100 characters.")
        with transaction.atomic():
            user = User.objects.filter(email__iexact=admin).first()
            is_new = user is None
            if user is None:
                user = _new_user(admin)
            workspace = services.create_workspace(
                name.strip(), administrator=user, time_zone=time_zone
            )
        report = {
            "workspace": workspace.slug,
            "url": f"{settings.BASE_URL}{workspace.get_absolute_url()}",
            "administrator": user.email,
            "set_password_url": _password_link(user) if is_new else None,
        }
        self.stdout.write(json.dumps(report) if options["json"] else _as_text(report))


def _new_user(email: str) -> User:
    """Whoever runs commands vouches for the address: it counts as confirmed."""
    user = User.objects.create_user(email)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def _password_link(user: User) -> str:
    uid, token = user_pk_to_url_str(user), default_token_generator.make_token(user)
    return f"{settings.BASE_URL}{reverse('account_reset_password_from_key', args=[uid, token])}"


def _as_text(report: dict[str, Any]) -> str:
    lines = [f"{report['url']} is ready, with {report['administrator']} as Administrator."]
    if report["set_password_url"]:
        lines.append(f"They set their password here: {report['set_password_url']}")
    return "\n".join(lines)
