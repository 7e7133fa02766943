"""docs/roles.md is what the rules answer."""

from django.core.management import call_command

from api.roles_document import answer
from workspaces.models import Role


def test_the_table_of_roles_is_as_the_rules_are(capsys: object) -> None:
    call_command("roles")


def test_a_cell_says_yes_no_or_of_what() -> None:
    roles = (Role.ADMINISTRATOR, Role.CONTRIBUTOR, Role.VIEWER)
    assert [answer("member.change", role) for role in roles] == ["yes", "no", "no"]
    assert [answer("connection.use", role) for role in roles] == [
        "yes",
        "if it is a connection shared with them",
        "no",
    ]
    assert [answer("token.revoke", role) for role in roles][2] == "if it is their own token"
