"""The filter of the workspace in scope, with which nearly every query begins, made once."""

from functools import lru_cache
from typing import Any, Self

from django.db import models
from django.db.models.sql import Query


class TenantQuerySet(models.QuerySet[Any]):
    """As Django's; to filter by a workspace first of all takes it a fraction of the time."""

    _is_new = False

    def filter(self, *args: Any, **kwargs: Any) -> Self:
        if self._is_new and not args and kwargs.keys() == {"workspace"}:
            key = getattr(kwargs["workspace"], "pk", kwargs["workspace"])
            if type(key) is int:
                queryset = self.all()
                queryset.query = _of_workspace(self.model, key).chain()  # type: ignore[arg-type]
                return queryset
        return super().filter(*args, **kwargs)


class TenantManager(models.Manager.from_queryset(TenantQuerySet)):  # type: ignore[misc]
    def get_queryset(self) -> TenantQuerySet:
        queryset: TenantQuerySet = super().get_queryset()
        # Of what is made of it, nothing is.
        queryset._is_new = True
        return queryset


@lru_cache(maxsize=1000)
def _of_workspace(model: type[models.Model], key: int) -> Query:
    return models.QuerySet(model).filter(workspace=key).query
