"""A workspace with a row in every table there is, whatever its model: those to come too."""

from typing import Any

from django.db import models
from django.utils import timezone
from django_scopes import scope

from workspaces.leaving.tables import tenant_models
from workspaces.models import AuditLink, User, Workspace

# What no archive may hold, in columns that are encrypted, hashed, or a program's own.
SECRET = "swordfish"


def fill(workspace: Workspace, person: User) -> dict[type[models.Model], Any]:
    """One row a table; those that are there already stay."""
    rows: dict[type[models.Model], Any] = {Workspace: workspace, User: person}
    with scope(workspace=workspace):
        for model in reversed(tenant_models()):
            if model is AuditLink:
                continue  # PostgreSQL writes it
            known = model._default_manager.first()
            rows[model] = known or model._default_manager.create(
                **{
                    field.name: _value(field, rows)
                    for field in model._meta.concrete_fields
                    if field.column and not isinstance(field, models.AutoField)
                }
            )
    return rows


def _value(field: Any, rows: dict[type[models.Model], Any]) -> Any:
    if field.related_model:
        return rows[field.related_model]
    if isinstance(field, models.BinaryField):
        return SECRET.encode()
    if field.name in getattr(field.model, "secrets", ()):
        return {SECRET: SECRET} if isinstance(field, models.JSONField) else SECRET
    if field.has_default():
        return field.get_default()
    if field.choices:
        return field.choices[0][0]
    kinds: dict[type[models.Field], Any] = {
        models.BooleanField: False,
        models.IntegerField: 1,
        models.FloatField: 1.0,
        models.DateTimeField: timezone.now(),
        models.JSONField: {},
        models.EmailField: "someone@example.com",
        models.GenericIPAddressField: None,
        models.CharField: "text"[: field.max_length],
        models.TextField: "text",
    }
    return next((value for kind, value in kinds.items() if isinstance(field, kind)), [])
