from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ExportsConfig(AppConfig):
    name = "exports"

    def ready(self) -> None:
        from connections import dependents as connection_dependents
        from exports import (
            dependents,
            erasing,
            figures,
            going_on,
            home_parts,
            measures,
            notices,
            periodic_notices,
            profile_panel,
            refreshing,
            retention,
            runs,
            scheduling,
            segment_panel,
        )
        from segments import attribute_uses, erasure_parts, profile_panels, segment_panels
        from segments import dependents as segment_dependents
        from workspaces import audit, home, members, operations, refreshes
        from workspaces import retention as workspace_retention
        from workspaces.leaving import closing
        from workspaces.live import figures as live_figures
        from workspaces.live import pulse
        from workspaces.notices import topics
        from workspaces.notices.topics import Topic
        from workspaces.scheduling import add_due_hook

        for statement in going_on.ALL:
            pulse.add(statement)
        live_figures.add("run", figures.runs, figures.of_run)
        live_figures.add("runs", figures.runs_of_workspaces, figures.of_workspace)
        connection_dependents.add(dependents.of_connections)
        members.add_belongings(dependents.of_member)
        segment_dependents.add(dependents.of_segments)
        attribute_uses.add(dependents.of_attributes)
        profile_panels.add(profile_panel.exports_of)
        erasure_parts.add(erasing.PART)
        segment_panels.add(segment_panel.exports_of)
        refreshes.add_kind(
            30,
            refreshes.Kind(
                "export", _("Exports"), refreshing.plan, refreshing.carry_out, refreshing.tell
            ),
        )
        add_due_hook(scheduling.start_due)
        add_due_hook(periodic_notices.tell_due)
        workspace_retention.add(retention.prune)
        closing.add_stopper(runs.stop_all)
        topics.add(
            10,
            Topic(
                notices.FAILED,
                _("A run failed"),
                _("Once when an export’s run fails, and once when one goes well again."),
            ),
        )
        topics.add(
            20,
            Topic(
                notices.REJECTIONS,
                _("Many profiles were rejected"),
                _("When Constant Contact rejects more of a run than the workspace puts up with."),
            ),
        )
        topics.add(
            30,
            Topic(
                notices.APPROVAL,
                _("A run wants approval"),
                _("When so many people would be taken off a list that somebody has to say yes."),
            ),
        )
        topics.add(
            50,
            Topic(
                periodic_notices.BUDGET,
                _("The day’s requests are nearly spent"),
                _("When nine in ten of the day’s requests to Constant Contact are used."),
            ),
        )
        topics.add(
            60,
            Topic(
                periodic_notices.SUMMARY,
                _("The week in a line"),
                _("On Mondays: what ran, what was sent, what failed."),
            ),
        )
        topics.add_event(topics.EventKind(notices.RUN_FINISHED, _("A run has ended")))
        topics.add_event(topics.EventKind(notices.RUN_NEEDS_APPROVAL, _("A run wants approval")))
        home.add_step(40, home_parts.configure)
        home.add_step(50, home_parts.run)
        home.add_stat(30, home_parts.exports)
        home.add_card(10, home_parts.recent_runs)
        home.add_card(20, home_parts.coming_runs)
        home.add_card(90, home_parts.requests)
        home.add_notices(home_parts.failed_exports)
        home.add_notices(home_parts.runs_that_want_approval)
        home.add_notices(home_parts.erased_and_still_there)
        operations.add(measures.stuck)
        audit.name_actions(
            {
                "destination.created": _("Export added"),
                "destination.changed": _("Export changed"),
                "destination.scheduled": _("Export scheduled"),
                "destination.taken_over": _("Export taken over"),
                "destination.detached": _("Export’s connection detached"),
                "destination.removed": _("Export removed"),
                "configuration.applied": _("Configuration applied from a file"),
                "destination.put_back": _("People put back on the list"),
                "profile.erased_by_hand": _("Erased person taken off by hand"),
                "run.started": _("Run started"),
                "run.cancelled": _("Run cancelled"),
                "run.approved": _("Taking people off approved"),
                "run.finished": _("Run finished"),
                "run.rejections_downloaded": _("Profiles not sent downloaded"),
            }
        )
        audit.name_details(
            {
                "connection": _("connection"),
                "account": _("account"),
                "list": _("list"),
                "list_id": _("list ID"),
                "matching": _("data matching"),
                "mode": _("people who leave"),
                "removal_share": _("asks above percent"),
                "to_remove": _("to take off"),
                "segments": _("segments"),
                "changes": _("changes"),
                "duplicate_of": _("duplicate of"),
                "run": _("run"),
                "full": _("everyone again"),
                "dry_run": _("trial run"),
                "state": _("state"),
                "rejections": _("profiles not sent"),
                "runs": _("runs"),
            }
        )
