"""Pages of exports and their runs, under /w/SLUG/data/exports/."""

from django.urls import path

from exports.views import (
    destinations,
    erased,
    runs,
    schedules,
    segments,
    setup,
    setup_parts,
    taken_off,
)

app_name = "exports"

urlpatterns = [
    path("", destinations.destination_list, name="destination_list"),
    path("add/", setup.destination_add, name="destination_add"),
    path("lists/", setup_parts.list_picker, name="list_picker"),
    path("custom-fields/", setup_parts.custom_field_choices, name="custom_fields"),
    path("selection/", setup_parts.selection_size, name="selection_size"),
    path("others/", segments.other_exports, name="other_exports"),
    path("preview/", setup_parts.preview_entered, name="preview"),
    path("preview/<slug:token>/", setup_parts.preview_made, name="preview_made"),
    path("recent-runs/", runs.home_runs, name="home_runs"),
    path("run-all/", runs.run_all, name="run_all"),
    path("schedule/", schedules.schedule_several, name="schedule_several"),
    path("<int:pk>/", destinations.destination_detail, name="destination_detail"),
    path("<int:pk>/edit/", setup.destination_edit, name="destination_edit"),
    path("<int:pk>/duplicate/", setup.destination_duplicate, name="destination_duplicate"),
    path("<int:pk>/preview/", setup_parts.preview_saved, name="destination_preview"),
    path("<int:pk>/edit/preview/", setup_parts.preview_entered, name="preview_changes"),
    path("<int:pk>/schedule/", schedules.destination_schedule, name="destination_schedule"),
    path("<int:pk>/add-segment/", segments.add_segment, name="destination_add_segment"),
    path(
        "<int:pk>/take-out-segment/",
        segments.take_out_segment,
        name="destination_take_out_segment",
    ),
    path("<int:pk>/detach/", destinations.destination_detach, name="destination_detach"),
    path("<int:pk>/remove/", destinations.destination_remove, name="destination_remove"),
    path("<int:pk>/run/", runs.destination_run, name="destination_run"),
    path("<int:pk>/taken-off/", taken_off.destination_taken_off, name="destination_taken_off"),
    path("erased/<int:pk>/done/", erased.erased_by_hand, name="erased_by_hand"),
    path("runs/<int:pk>/", runs.run_detail, name="run_detail"),
    path("runs/<int:pk>/progress/", runs.run_progress, name="run_progress"),
    path("runs/<int:pk>/not-sent.csv", runs.run_rejections_csv, name="run_rejections_csv"),
    path("runs/<int:pk>/find/", runs.run_find, name="run_find"),
    path("runs/<int:pk>/approve/", runs.run_approve, name="run_approve"),
    path("runs/<int:pk>/retry/", runs.run_retry, name="run_retry"),
    path("runs/<int:pk>/cancel/", runs.run_cancel, name="run_cancel"),
]
