"""Everything that is encrypted in the database, encrypted anew with the first of the keys.

In batches, each row locked meanwhile, so that nobody's change is lost. What has the first key
already is left alone: begun again, it goes on where it was.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import models, transaction
from django_scopes import scope

from config import cipher
from workspaces.leaving.tables import tenant_models
from workspaces.models import Workspace

ROWS_AT_ONCE = 500


@dataclass
class Account:
    """How many secrets were looked at, how many had an earlier key, how many have none of them."""

    checked: int = 0
    rotated: int = 0
    unreadable: int = 0


def rotate() -> Account:
    """Of every workspace, one after the other; and what makes the codes of second steps."""
    account = Account()
    _rotate_second_steps(account)
    for workspace in Workspace.objects.order_by("pk").iterator():
        with scope(workspace=workspace):
            for model in encrypted_models():
                _rotate_table(model, account)
    return account


def encrypted_models() -> Iterator[Any]:
    return (model for model in tenant_models() if getattr(model, "encrypted", ()))


def _rotate_second_steps(account: Account) -> None:
    for pk in Authenticator.objects.order_by("pk").values_list("pk", flat=True).iterator():
        with transaction.atomic():
            found = Authenticator.objects.select_for_update(no_key=True).filter(pk=pk).first()
            for name in {"secret", "seed"} & set(found.data if found else ()):
                account.checked += 1
                try:
                    anew = cipher.rotated(found.data[name].encode())
                except cipher.Unreadable:
                    account.unreadable += 1
                    continue
                if anew is not None:
                    account.rotated += 1
                    found.data[name] = anew.decode()
                    found.save(update_fields=["data"])


def _rotate_table(model: Any, account: Account) -> None:
    last = 0
    while True:
        with transaction.atomic():
            rows = model.objects.select_for_update(no_key=True, of=("self",)).filter(pk__gt=last)
            batch = list(rows.order_by("pk")[:ROWS_AT_ONCE])
            for row in batch:
                _rotate_row(row, account)
        if len(batch) < ROWS_AT_ONCE:
            return
        last = batch[-1].pk


def _rotate_row(row: models.Model, account: Account) -> None:
    changed = []
    for name in row.encrypted:  # type: ignore[attr-defined]
        data = getattr(row, name)
        if data is None:
            continue
        account.checked += 1
        try:
            anew = cipher.rotated(data)
        except cipher.Unreadable:
            account.unreadable += 1
            continue
        if anew is not None:
            account.rotated += 1
            setattr(row, name, anew)
            changed.append(name)
    if changed:
        row.save(update_fields=changed)
