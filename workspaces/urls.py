"""Pages of workspaces: home, members, schedule, audit log; making and joining one."""

from django.conf import settings
from django.urls import include, path

from workspaces.views import (
    audit,
    endpoints,
    entry,
    going_on,
    home,
    invitations,
    leaving,
    members,
    notices,
    refreshes,
    schedule,
    settings_pages,
    sign_in,
    styleguide,
)

app_name = "workspaces"

one_refresh = [
    path("", refreshes.detail, name="refresh_detail"),
    path("tree/", refreshes.tree, name="refresh_tree"),
    path("retry/", refreshes.retry, name="refresh_retry"),
    path("retry/<int:step>/", refreshes.retry, name="refresh_step_retry"),
]
one_endpoint = [
    path("", endpoints.endpoint, name="endpoint"),
    path("edit/", endpoints.endpoint_edit, name="endpoint_edit"),
    path("secret/", endpoints.endpoint_secret, name="endpoint_secret"),
    path("try/", endpoints.endpoint_try, name="endpoint_try"),
    path("remove/", endpoints.endpoint_remove, name="endpoint_remove"),
    path("deliveries/<int:delivery>/again/", endpoints.delivery_again, name="delivery_again"),
]
urlpatterns = [
    path("workspaces/", entry.mine, name="mine"),
    path("workspaces/new/", entry.create, name="create"),
    path("accounts/name/", entry.profile, name="profile"),
    path("invitations/<slug:slug>/<str:token>/", invitations.invitation, name="invitation"),
    path("w/<slug:slug>/", home.home, name="home"),
    path("w/<slug:slug>/going-on/", going_on.going_on, name="going_on"),
    path("w/<slug:slug>/refreshes/", refreshes.home_refreshes, name="home_refreshes"),
    path("w/<slug:slug>/admin/members/", members.member_list, name="members"),
    path("w/<slug:slug>/admin/members/invite/", members.invite, name="member_invite"),
    path("w/<slug:slug>/admin/members/sign-in/", sign_in.sign_in, name="sign_in"),
    path("w/<slug:slug>/admin/members/<int:pk>/role/", members.role, name="member_role"),
    path("w/<slug:slug>/admin/members/<int:pk>/remove/", members.remove, name="member_remove"),
    path(
        "w/<slug:slug>/admin/members/invitations/<int:pk>/revoke/",
        members.revoke_invitation,
        name="invitation_revoke",
    ),
    path(
        "w/<slug:slug>/admin/members/invitations/<int:pk>/resend/",
        members.resend_invitation,
        name="invitation_resend",
    ),
    path("w/<slug:slug>/admin/settings/", settings_pages.change, name="settings"),
    path("w/<slug:slug>/admin/settings/retention/", settings_pages.retention, name="retention"),
    path("w/<slug:slug>/admin/settings/archive/", leaving.archive, name="archive"),
    path(
        "w/<slug:slug>/admin/settings/archive/<int:pk>/",
        leaving.archive_download,
        name="archive_download",
    ),
    path("w/<slug:slug>/admin/deletion/", leaving.deletion, name="deletion"),
    path("w/<slug:slug>/admin/settings/deletion/", leaving.deletion_ask, name="deletion_ask"),
    path(
        "w/<slug:slug>/admin/deletion/take-back/",
        leaving.deletion_take_back,
        name="deletion_take_back",
    ),
    path("w/<slug:slug>/admin/schedule/", schedule.schedule, name="schedule"),
    path("w/<slug:slug>/admin/schedule/refresh/", schedule.refresh_now, name="refresh_now"),
    path("w/<slug:slug>/admin/schedule/refreshes/", schedule.refresh_list, name="refreshes"),
    path("w/<slug:slug>/admin/schedule/refreshes/<int:pk>/", include(one_refresh)),
    path("w/<slug:slug>/notices/", notices.notice_list, name="notices"),
    path("w/<slug:slug>/notices/read/", notices.notices_read, name="notices_read"),
    path("w/<slug:slug>/notices/<int:pk>/", notices.notice_open, name="notice_open"),
    path("w/<slug:slug>/admin/notices/", notices.notice_settings, name="notice_settings"),
    path("w/<slug:slug>/admin/notices/share/", notices.rejected_share, name="rejected_share"),
    path("w/<slug:slug>/admin/notices/endpoints/add/", endpoints.endpoint_add, name="endpoint_add"),
    path("w/<slug:slug>/admin/notices/endpoints/<int:pk>/", include(one_endpoint)),
    path("w/<slug:slug>/admin/audit/", audit.audit_log, name="audit"),
    path("w/<slug:slug>/admin/audit/download/", audit.download, name="audit_download"),
]

if settings.DEBUG:
    urlpatterns += [path("styleguide/", styleguide.styleguide, name="styleguide")]
