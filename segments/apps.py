from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy


class SegmentsConfig(AppConfig):
    name = "segments"

    def ready(self) -> None:
        from segments import (
            attribute_uses,
            dependents,
            figures,
            going_on,
            home_parts,
            kept_files,
            measures,
            notices,
            refreshing,
            retention,
            source_refreshing,
        )
        from workspaces import audit, home, operations, refreshes
        from workspaces import retention as workspace_retention
        from workspaces.leaving import archives
        from workspaces.live import figures as live_figures
        from workspaces.live import pulse
        from workspaces.notices import topics
        from workspaces.scheduling import add_due_hook

        for statement in going_on.ALL:
            pulse.add(statement)
        live_figures.add("import", figures.imports, figures.of_import)
        live_figures.add("imports", figures.imports_of_workspaces, figures.of_workspace)
        dependents.add(dependents.segments_using)
        attribute_uses.add(attribute_uses.segments_using)
        refreshes.add_kind(
            10,
            refreshes.Kind(
                "source",
                _("Sources"),
                source_refreshing.plan,
                source_refreshing.carry_out,
                source_refreshing.tell,
            ),
        )
        refreshes.say_counts(
            {
                "rows": ngettext_lazy("%(shown)s row read", "%(shown)s rows read", "count"),
                "added": ngettext_lazy("%(shown)s added", "%(shown)s added", "count"),
                "changed": ngettext_lazy("%(shown)s changed", "%(shown)s changed", "count"),
                "removed": ngettext_lazy("%(shown)s removed", "%(shown)s removed", "count"),
                "refused": ngettext_lazy("%(shown)s refused", "%(shown)s refused", "count"),
            }
        )
        add_due_hook(source_refreshing.start_due)
        workspace_retention.add(retention.prune)
        archives.add_files(kept_files.of_archive)
        refreshes.add_kind(
            20,
            refreshes.Kind(
                "segment",
                _("Segments"),
                refreshing.plan,
                refreshing.carry_out,
                refreshing.tell,
                refreshing.skip,
            ),
        )
        topics.add_event(topics.EventKind(notices.IMPORT_FINISHED, _("An import has ended")))
        topics.add_event(topics.EventKind(notices.SEGMENT_REFRESHED, _("A segment was refreshed")))
        home.add_step(10, home_parts.import_customers)
        home.add_step(20, home_parts.make_a_segment)
        home.add_stat(10, home_parts.profiles)
        home.add_stat(20, home_parts.segments)
        home.add_card(5, home_parts.recent_imports)
        operations.add(measures.stuck)
        audit.name_actions(
            {
                "source.created": _("Source added"),
                "source.removed": _("Source removed"),
                "source.mode_changed": _("Source’s way with customers who are gone changed"),
                "source.connection_changed": _("Source’s database changed"),
                "source.query_changed": _("Source’s query changed"),
                "source.columns_changed": _("Source’s columns changed"),
                "source.scheduled": _("Source scheduled"),
                "upload.received": _("File uploaded"),
                "upload.cancelled": _("Upload discarded"),
                "import.started": _("Import started"),
                "import.finished": _("Import finished"),
                "import.refused_downloaded": _("Refused rows downloaded"),
                "profile.erased": _("Person erased"),
                "profile.erasure_finished": _("Erasure completed"),
                "profile.erasure_lifted": _("Erasure lifted"),
                "attribute.created": _("Attribute added"),
                "attribute.renamed": _("Attribute renamed"),
                "attribute.source_changed": _("Attribute’s source changed"),
                "attribute.changed": _("Attribute’s type changed"),
                "attribute.removed": _("Attribute removed"),
                "suppression.added": _("Addresses suppressed"),
                "suppression.removed": _("Suppressed addresses removed"),
                "suppression.downloaded": _("Suppression list downloaded"),
                "segment.created": _("Segment added"),
                "segment.changed": _("Segment changed"),
                "segment.list_changed": _("Segment’s list changed"),
                "segment.missing_downloaded": _("Entries without a profile downloaded"),
                "segment.renamed": _("Segment renamed"),
                "segment.refreshed": _("Segment refresh started"),
                "segment.downloaded": _("Segment members downloaded"),
                "segment.activated": _("Segment activated"),
                "segment.deactivated": _("Segment deactivated"),
                "segment.tagged": _("Segment tagged"),
                "segment.changes_downloaded": _("Who joined and left a segment downloaded"),
                "segment.deleted": _("Segment deleted"),
                "tag.renamed": _("Tag renamed"),
                "tag.deleted": _("Tag deleted"),
            }
        )
        audit.name_details(
            {
                "rules": _("rules"),
                "count": _("how many"),
                "form": _("form"),
                "added": _("added"),
                "removed": _("removed"),
                "approved_removals": _("approved removals"),
                "taken_over": _("taken over"),
                "kind": _("kind"),
                "host": _("host"),
                "database": _("database"),
                "user": _("user name"),
                "table": _("table"),
                "columns": _("columns"),
                "delete_at_provider": _("deleted at Constant Contact"),
                "emptied": _("emptied"),
                "refused_rows": _("refused rows"),
                "imports": _("imports"),
                "joined_and_left": _("entries of who joined and left"),
                "bytes": _("bytes"),
            }
        )
