"""Queries that pages ask all the time: Django makes their SQL once in a process, not for each page.

Making it takes Django longer than PostgreSQL takes to answer. What is kept has holes for what
differs from one time to the next: the workspace in scope, and the values that it is asked with.
"""

from collections.abc import Callable
from copy import copy
from functools import cache
from typing import Any, Generic, TypeVar

from django.db import connections
from django.db.models import Field, Lookup, Model, QuerySet, Value
from django.http import Http404
from django_scopes import get_scope, scope
from django_scopes.exceptions import ScopeError

Row = TypeVar("Row")
Found = TypeVar("Found", bound=Model)
WORKSPACE = "workspace"


class _Hole(Value):
    """Stands in a query for what it is asked with, to be given by this name."""

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]


@Field.register_lookup
class AnyOf(Lookup):
    """`pk__any_of`: as `in`, of a list that is one value, however long it is."""

    lookup_name = "any_of"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        lhs, lhs_params = self.process_lhs(compiler, connection)
        rhs, rhs_params = self.process_rhs(compiler, connection)
        return f"{lhs} = ANY({rhs})", (*lhs_params, *rhs_params)


class KeptQuery(Generic[Row]):
    """Call it with a value for each parameter of `make`: the rows, as the query set has them.

    `make` is called once, with holes, which filters and annotations take as values. Whatever else
    it puts into the query (the time now, the language) stays as it was then. Values are those of
    columns: a key, not its object.
    """

    def __init__(self, make: Callable[..., QuerySet[Any, Row]]) -> None:
        self._make = make
        # With scopes, and where they are off.
        self._made: dict[bool, tuple[QuerySet[Any, Row], Any, str, tuple[Any, ...]]] = {}

    def __call__(self, **values: Any) -> list[Row]:
        if [] in values.values():
            # Any of none: as Django, which does not ask what is in an empty list.
            return []
        is_scoped = get_scope().get("_enabled", True)
        if is_scoped not in self._made:
            self._made[is_scoped] = self._compiled(values)
        made, compiler, sql, params = self._made[is_scoped]
        filled = [_filled(one.value, values) if isinstance(one, _Hole) else one for one in params]
        compiler = copy(compiler)
        compiler.connection = connections[made.db]
        compiler.as_sql = lambda: (sql, filled)
        query = copy(made.query)
        query.get_compiler = lambda *_args, **_kwargs: compiler  # type: ignore[method-assign]
        asked: Any = QuerySet(made.model, query=query)
        asked._iterable_class = made._iterable_class
        asked._fields = made._fields  # type: ignore[attr-defined]
        asked._prefetch_related_lookups = made._prefetch_related_lookups  # type: ignore[attr-defined]
        return list(asked)

    def first(self, **values: Any) -> Row | None:
        return next(iter(self(**values)), None)

    def or_404(self, **values: Any) -> Row:
        """The first row. Raises Http404 when there is none."""
        found = self.first(**values)
        if found is None:
            raise Http404
        return found

    def _compiled(self, values: dict[str, Any]) -> tuple[QuerySet[Any, Row], Any, str, Any]:
        holes = {name: _Hole(name) for name in values}
        with scope(**(get_scope() | {WORKSPACE: _Hole(WORKSPACE)})):
            made = self._make(**holes)
        compiler = made.query.get_compiler(made.db)
        return made, compiler, *compiler.as_sql()


def _filled(name: str, values: dict[str, Any]) -> Any:
    if name != WORKSPACE:
        return values[name]
    workspace = get_scope().get(WORKSPACE)
    if workspace is None:
        raise ScopeError("A kept query needs a workspace in scope.")
    return getattr(workspace, "pk", workspace)


def one_or_404(model: type[Found], *related: str, pk: int) -> Found:
    """The row with that key, in the workspace in scope, with what it refers to by those names.

    Raises Http404 when there is none.
    """
    return _by_key(model, *related).or_404(pk=pk)


@cache
def _by_key(model: type[Found], *related: str) -> KeptQuery[Found]:
    def make(pk: Any) -> QuerySet[Found]:
        found: QuerySet[Found] = model._default_manager.filter(pk=pk)
        return found.select_related(*related) if related else found

    return KeptQuery(make)
