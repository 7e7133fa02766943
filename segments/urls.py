from django.urls import path

from segments.views import profiles, segment_builder, segments, sources, suppressions

app_name = "segments"
urlpatterns = [
    path("sources/", sources.source_list, name="source_list"),
    path("sources/add/", sources.add, name="source_add"),
    path("sources/<int:pk>/", sources.detail, name="source_detail"),
    path("sources/<int:pk>/upload/", sources.upload, name="source_upload"),
    path("sources/<int:pk>/remove/", sources.remove, name="source_remove"),
    path("imports/<int:pk>/", sources.import_detail, name="import_detail"),
    path("imports/<int:pk>/columns/", sources.columns, name="import_columns"),
    path("imports/<int:pk>/progress/", sources.import_progress, name="import_progress"),
    path("imports/<int:pk>/again/", sources.import_again, name="import_again"),
    path("imports/<int:pk>/refused.csv", sources.refused_csv, name="import_refused_csv"),
    path("profiles/", profiles.profile_list, name="profile_list"),
    path("profiles/<int:pk>/", profiles.detail, name="profile_detail"),
    path("suppressions/", suppressions.suppression_list, name="suppression_list"),
    path("suppressions/add/", suppressions.add, name="suppression_add"),
    path("suppressions/remove/", suppressions.remove, name="suppression_remove"),
    path("suppressions/suppressions.csv", suppressions.download, name="suppression_csv"),
    path("segments/", segments.segment_list, name="segment_list"),
    path("segments/add/", segment_builder.add, name="segment_add"),
    path("segments/rules/", segment_builder.rules, name="segment_rules"),
    path("segments/preview/", segment_builder.preview, name="segment_preview"),
    path("segments/values/", segment_builder.values, name="segment_values"),
    path("segments/<int:pk>/", segments.detail, name="segment_detail"),
    path("segments/<int:pk>/members.csv", segments.download, {"form": "csv"}, name="segment_csv"),
    path(
        "segments/<int:pk>/members.parquet",
        segments.download,
        {"form": "parquet"},
        name="segment_parquet",
    ),
    path("segments/<int:pk>/edit/", segment_builder.edit, name="segment_edit"),
    path("segments/<int:pk>/status/", segments.status, name="segment_status"),
    path("segments/<int:pk>/rules/", segments.rule_counts, name="segment_rule_counts"),
    path("segments/<int:pk>/refresh/", segments.refresh, name="segment_refresh"),
    path("segments/<int:pk>/rename/", segments.rename, name="segment_rename"),
    path("segments/<int:pk>/duplicate/", segments.duplicate, name="segment_duplicate"),
    path("segments/<int:pk>/delete/", segments.delete, name="segment_delete"),
]
