"""What every tenant table shares: its workspace, a scoped manager, keys that lead with it.

The database's own keys are composite: `TenantKeys`, run in each app's migrations, makes
`(workspace_id, id)` the primary key and every reference between tenant tables a reference by
both columns, so that PostgreSQL itself refuses a row that points into another workspace.
`RowSecurity`, run after it, makes PostgreSQL show and take rows of the workspace in scope only.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.db import models
from django.db.migrations.operations.base import Operation
from django.db.models.lookups import Exact
from django_scopes import ScopedManager

from config.row_security import EVERY_WORKSPACE, SETTING
from workspaces.scoped_queries import TenantManager


class TenantForeignKey(models.ForeignKey):
    """A reference inside one workspace: every join and look-up also compares `workspace_id`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        kwargs.setdefault("db_index", False)
        super().__init__(*args, **kwargs)

    def get_extra_descriptor_filter(self, instance: models.Model) -> dict[str, Any]:
        return {"workspace_id": instance.workspace_id}  # type: ignore[attr-defined]

    def get_extra_restriction(self, alias: str, related_alias: str) -> Any:
        here: Any = self.model._meta.get_field("workspace")
        there: Any = self.remote_field.model._meta.get_field("workspace")
        if here.column == self.column:
            return None
        return Exact(there.get_col(related_alias), here.get_col(alias))


class QuickLabels(models.Model):
    """Says what a choice is called as Django does, which makes all choices anew each time."""

    class Meta:
        abstract = True

    def _get_FIELD_display(self, field: Any) -> str:  # noqa: N802 - Django's name
        value = getattr(self, field.attname)
        return str(_labels(field).get(value, value))


@cache
def _labels(field: Any) -> dict[Any, Any]:
    return dict(field.flatchoices)


class TenantModel(QuickLabels):
    """Base of every table whose rows belong to one workspace.

    A model's `granted` says what web and workers may do with its table, where that is not all;
    its `encrypted` names the columns that `config.cipher` has written, its `secrets` those that no
    archive of the workspace holds, besides binary ones.
    """

    workspace = models.ForeignKey(
        "workspaces.Workspace", on_delete=models.CASCADE, db_index=False, related_name="+"
    )

    if TYPE_CHECKING:
        objects: ClassVar[models.Manager[Self]]
    else:
        objects = ScopedManager(TenantManager, workspace="workspace")

    class Meta:
        abstract = True


class BulkTenantModel(QuickLabels):
    """Base of tenant tables written a million rows at a time, by set-based SQL only.

    Their references are not checked row by row: that would cost more than the writing. The
    statements that write them carry `workspace_id` from the rows they read.
    """

    workspace = models.ForeignKey(
        "workspaces.Workspace",
        on_delete=models.CASCADE,
        db_index=False,
        db_constraint=False,
        related_name="+",
    )

    if TYPE_CHECKING:
        objects: ClassVar[models.Manager[Self]]
    else:
        objects = ScopedManager(TenantManager, workspace="workspace")

    class Meta:
        abstract = True


class _TableOperation(Operation):
    """Changes a model's table; the models know nothing of it."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__qualname__, [self.model_name], {}

    def state_forwards(self, app_label: str, state: Any) -> None:
        """They keep their view of the table."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        self.change(schema_editor, to_state.apps.get_model(app_label, self.model_name))

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        self.undo(schema_editor, from_state.apps.get_model(app_label, self.model_name))

    def change(self, schema_editor: Any, model: Any) -> None:
        raise NotImplementedError

    def undo(self, schema_editor: Any, model: Any) -> None:
        raise NotImplementedError


class TenantKeys(_TableOperation):
    """Makes a tenant table's keys composite; belongs after the migration that creates it.

    The primary key becomes `(workspace_id, id)`, and each `TenantForeignKey` of a `TenantModel`
    a deferred reference by both columns.
    """

    def change(self, schema_editor: Any, model: Any) -> None:
        table = model._meta.db_table
        self._set_primary_key(schema_editor, table, "workspace_id, id")
        for field in self._references(model):
            target = field.related_model._meta.db_table
            schema_editor.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT {table}_{field.column}_tenant"
                f" FOREIGN KEY (workspace_id, {field.column})"
                f" REFERENCES {target} (workspace_id, id) DEFERRABLE INITIALLY DEFERRED"
            )

    def undo(self, schema_editor: Any, model: Any) -> None:
        table = model._meta.db_table
        for field in self._references(model):
            schema_editor.execute(
                f"ALTER TABLE {table} DROP CONSTRAINT {table}_{field.column}_tenant"
            )
        self._set_primary_key(schema_editor, table, "id")

    def describe(self) -> str:
        return f"Make the keys of {self.model_name} composite"

    @property
    def migration_name_fragment(self) -> str:
        return f"{self.model_name.lower()}_tenant_keys"

    @staticmethod
    def _set_primary_key(schema_editor: Any, table: str, columns: str) -> None:
        schema_editor.execute(
            f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey,"
            f" ADD CONSTRAINT {table}_pkey PRIMARY KEY ({columns})"
        )

    @staticmethod
    def _references(model: Any) -> list[Any]:
        if not model._meta.get_field("workspace").db_constraint:
            return []
        return [field for field in model._meta.fields if isinstance(field, TenantForeignKey)]


class SeenAcross(_TableOperation):
    """Lets a table that has its `RowSecurity` be looked at in `across_workspaces()` as well."""

    ACROSS = f"current_setting('{SETTING}', true) = '{EVERY_WORKSPACE}'"

    def change(self, schema_editor: Any, model: Any) -> None:
        schema_editor.execute(
            f"CREATE POLICY across_workspaces ON {model._meta.db_table}"
            f" FOR SELECT USING ({self.ACROSS})"
        )

    def undo(self, schema_editor: Any, model: Any) -> None:
        schema_editor.execute(f"DROP POLICY across_workspaces ON {model._meta.db_table}")

    def describe(self) -> str:
        return f"Let rows of {self.model_name} be looked at across workspaces"

    @property
    def migration_name_fragment(self) -> str:
        return f"{self.model_name.lower()}_seen_across"


class RowSecurity(_TableOperation):
    """Shows and takes a tenant table's rows in the scope of their workspace only.

    The owner of the table is held to it too: what migrates its rows does so in the scope of each
    workspace. With `across` they may be looked at, not changed, in `across_workspaces()`.
    """

    # Compared without a subquery, the planner takes it and the statement's own `workspace_id = 7`
    # for one condition, asked once a statement instead of once a row.
    SEEN = f"workspace_id = nullif(current_setting('{SETTING}', true), '')::bigint"
    # Asked of each row that is written: there the subquery spares asking the setting anew.
    TAKEN = f"workspace_id = (SELECT nullif(current_setting('{SETTING}', true), '')::bigint)"

    def __init__(self, model_name: str, across: bool = False) -> None:
        super().__init__(model_name)
        self.across = SeenAcross(model_name) if across else None

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__qualname__, [self.model_name, self.across is not None], {}

    def change(self, schema_editor: Any, model: Any) -> None:
        table = model._meta.db_table
        schema_editor.execute(
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
        )
        schema_editor.execute(
            f"CREATE POLICY one_workspace ON {table} USING ({self.SEEN}) WITH CHECK ({self.TAKEN})"
        )
        if self.across:
            self.across.change(schema_editor, model)

    def undo(self, schema_editor: Any, model: Any) -> None:
        table = model._meta.db_table
        if self.across:
            self.across.undo(schema_editor, model)
        schema_editor.execute(f"DROP POLICY one_workspace ON {table}")
        schema_editor.execute(
            f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY"
        )

    def describe(self) -> str:
        return f"Show rows of {self.model_name} in the scope of their workspace only"

    @property
    def migration_name_fragment(self) -> str:
        return f"{self.model_name.lower()}_row_security"
