"""A run's batches as pages show them while it goes on, for whoever looks across workspaces.

A batch carries people's addresses until it has ended, so its table is seen in the scope of its
workspace only. Whoever looks at many workspaces at once learns by these of each batch what is
shown, and nothing else. What is told is the same in the scope of that workspace; in that of any
other one, nothing.
"""

from config.row_security import EVERY_WORKSPACE, SETTING

FUNCTION = f"""
CREATE FUNCTION {{name}}(of_workspace bigint, of_run bigint) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    in_scope text := coalesce(current_setting('{SETTING}', true), '');
    told text := '';
BEGIN
    IF in_scope IN ('{EVERY_WORKSPACE}', of_workspace::text) THEN
        PERFORM set_config('{SETTING}', of_workspace::text, true);
        SELECT {{told}} INTO told FROM exports_batch b
        WHERE b.workspace_id = of_workspace AND b.run_id = of_run;
        PERFORM set_config('{SETTING}', in_scope, true);
    END IF;
    RETURN coalesce(told, '');
END
$$
"""  # noqa: S608 - nothing but names that are ours

# Another one as soon as a batch shows something else.
STATE = FUNCTION.format(
    name="exports_batches_state",
    told="""md5(string_agg(concat_ws(' ', b.number, b.state, b.failure, b.why, b.contacts,
            b.body_bytes, b.activity_id, b.attempts, b.rejected, b.sent_at, b.ended_at), ','
            ORDER BY b.number))""",
)
# As JSON; moments in seconds since 1970.
SHOWN = FUNCTION.format(
    name="exports_batches_shown",
    told="""json_agg(json_build_array(b.id, b.number, b.state, b.failure, b.why, b.contacts,
            b.body_bytes, b.activity_id, b.attempts, b.rejected, extract(epoch FROM b.sent_at),
            extract(epoch FROM b.ended_at)) ORDER BY b.number)::text""",
)
UNDO = """
DROP FUNCTION exports_batches_shown(bigint, bigint);
DROP FUNCTION exports_batches_state(bigint, bigint);
"""
