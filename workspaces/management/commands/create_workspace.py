"""Makes a workspace with its first Administrator."""

from argparse import ArgumentParser
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse

from config.commands import USAGE, SegueCommand, fail
from workspaces import services, time_zones
from workspaces.models import User


class Command(SegueCommand):
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

    def handle(self, *args: Any, name: str, admin: str, time_zone: str, **options: Any) -> None:
        try:
            validate_email(admin)
            time_zones.validate(time_zone)
        except ValidationError as error:
            fail(f"{admin}, {time_zone}: {' '.join(error.messages)}", USAGE)
        if not name.strip() or len(name) > 100:
            fail("A workspace's name has between 1 and 100 characters.", USAGE)
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
        if options["json"]:
            self.print_json(report)
        else:
            self.stdout.write(_as_text(report))


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
