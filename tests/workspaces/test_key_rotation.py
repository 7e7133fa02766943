"""Keys are changed without anybody's noticing, and an old one is needed no longer."""

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import models
from django_scopes import scope

from config import cipher
from tests.workspaces.factories import MembershipFactory, UserFactory
from tests.workspaces.filled import fill
from workspaces import key_rotation
from workspaces.leaving.tables import tenant_models

# Bytes that are no secret's: hashes, requests on their way, answers.
PLAIN = {
    "api_keptanswer.body",
    "exports_batch.body",
    "segments_erasedidentity.digest",
    "workspaces_auditlink.digest",
}


def rotated(capsys: Any) -> dict[str, int]:
    call_command("rotate_keys", json=True)
    found: dict[str, int] = json.loads(capsys.readouterr().out)
    return found


def test_every_binary_column_is_rotated_or_known_to_hold_no_secret() -> None:
    binary = {
        f"{model._meta.db_table}.{field.name}"
        for model in tenant_models()
        for field in model._meta.fields
        if isinstance(field, models.BinaryField)
    }
    encrypted = {
        f"{model._meta.db_table}.{name}"
        for model in key_rotation.encrypted_models()
        for name in model.encrypted
    }
    assert binary - encrypted == PLAIN


def test_every_secret_of_every_workspace_gets_the_new_key_and_the_old_one_can_go(
    db: None, settings: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (Fernet.generate_key().decode() for _number in range(2))
    settings.TOKEN_ENCRYPTION_KEYS = [old]
    secrets = []
    for _number in range(2):
        member = MembershipFactory()
        rows = fill(member.workspace, member.user)
        with scope(workspace=member.workspace):
            for model in key_rotation.encrypted_models():
                row = rows[model]
                for name in model.encrypted:
                    setattr(row, name, cipher.encrypt(f"{model.__name__}.{name}"))
                    secrets.append((row, name))
                row.save()
    settings.TOKEN_ENCRYPTION_KEYS = [new, old]
    # Stopped in the middle, it goes on where it was.
    monkeypatch.setattr(key_rotation, "ROWS_AT_ONCE", 1)
    first, others = secrets[0][0], len(secrets) - 1
    with scope(workspace=first.workspace):
        setattr(first, secrets[0][1], cipher.rotated(getattr(first, secrets[0][1])))
        first.save()
    assert rotated(capsys) == {"checked": len(secrets), "rotated": others, "unreadable": 0}
    assert rotated(capsys) == {"checked": len(secrets), "rotated": 0, "unreadable": 0}

    settings.TOKEN_ENCRYPTION_KEYS = [new]
    for row, name in secrets:
        with scope(workspace=row.workspace):
            row.refresh_from_db()
            assert cipher.decrypt(getattr(row, name)) == f"{type(row).__name__}.{name}"
    settings.TOKEN_ENCRYPTION_KEYS = [old]
    with pytest.raises(CommandError, match=f"{len(secrets)} secrets can be read with none"):
        call_command("rotate_keys")


def test_what_makes_the_codes_of_second_steps_gets_the_new_key_too(
    db: None, settings: Any, capsys: Any
) -> None:
    old, new = (Fernet.generate_key().decode() for _number in range(2))
    settings.TOKEN_ENCRYPTION_KEYS = [old]
    user = UserFactory()
    for kind, name in (("totp", "secret"), ("recovery_codes", "seed")):
        data = {name: cipher.encrypt("kept").decode(), "used_mask": 3}
        Authenticator.objects.create(user=user, type=kind, data=data)
    settings.TOKEN_ENCRYPTION_KEYS = [new, old]
    assert rotated(capsys)["rotated"] == 2
    settings.TOKEN_ENCRYPTION_KEYS = [new]
    for one in Authenticator.objects.all():
        kept = one.data.get("secret") or one.data["seed"]
        assert (cipher.decrypt(kept.encode()), one.data["used_mask"]) == ("kept", 3)
    assert rotated(capsys)["rotated"] == 0
