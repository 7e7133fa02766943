"""Every table that holds rows of a workspace, found by its models."""

from functools import cache
from graphlib import TopologicalSorter

from django.apps import apps
from django.db import models

from workspaces.tenancy import BulkTenantModel, TenantModel


@cache
def tenant_models() -> tuple[type[models.Model], ...]:
    """Those that refer to others come before them: rows can be deleted in this order."""
    found = [
        model for model in apps.get_models() if issubclass(model, TenantModel | BulkTenantModel)
    ]
    order: TopologicalSorter[type[models.Model]] = TopologicalSorter()
    for model in found:
        order.add(model)
        for field in model._meta.fields:
            target = field.related_model
            if isinstance(target, type) and target in found and target is not model:
                order.add(target, model)
    return tuple(order.static_order())
