"""The operators' pages at /operator/: workspaces and people, never customer data."""

import allauth.account.admin  # noqa: F401 - registers e-mail addresses
from allauth.account.decorators import secure_admin_login
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from workspaces import two_step
from workspaces.models import DeletedWorkspace, User, Workspace

site = admin.site
# Their own sign-in would ask for no second step.
site.login = secure_admin_login(site.login)  # type: ignore[method-assign]
site.site_header = _("Segue: operator’s pages")
site.site_title = _("Segue operator")


@admin.register(Workspace)
class WorkspaceAdmin(admin.ModelAdmin):
    list_display = ["name", "slug", "time_zone", "created_at"]
    search_fields = ["name", "slug"]
    readonly_fields = ["slug", "created_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """They are made by their members, or by `manage.py create_workspace`."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Workspace | None = None) -> bool:
        return False


@admin.register(DeletedWorkspace)
class DeletedWorkspaceAdmin(admin.ModelAdmin):
    list_display = ["number", "deleted_at", "rows", "files", "audit_entries", "swept_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: DeletedWorkspace | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: DeletedWorkspace | None = None
    ) -> bool:
        return False


@admin.register(User)
class PersonAdmin(UserAdmin):
    ordering = ["email"]
    list_display = ["email", "first_name", "last_name", "is_active", "is_staff", "last_login"]
    search_fields = ["email", "first_name", "last_name"]
    fieldsets = [
        (None, {"fields": ["email", "password"]}),
        (_("Person"), {"fields": ["first_name", "last_name"]}),
        (_("Permissions"), {"fields": ["is_active", "is_staff", "is_superuser"]}),
        (_("Dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (
            None,
            {"classes": ["wide"], "fields": ["email", "usable_password", "password1", "password2"]},
        )
    ]
    readonly_fields = ["last_login", "date_joined"]
    filter_horizontal = []
    actions = ["turn_two_step_off"]

    @admin.action(
        permissions=["change"],
        description=_("Turn two-step sign-in off, for who lost the second step"),
    )
    def turn_two_step_off(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            two_step.turn_off(user)
            self.log_change(request, user, "Two-step sign-in turned off.")
        self.message_user(
            request, gettext("Two-step sign-in is off. They know by e-mail."), messages.SUCCESS
        )

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """They are switched off instead: what they did in workspaces names them."""
        return False
