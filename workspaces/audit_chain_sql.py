"""The chain of the audit log, kept by PostgreSQL: entries are added, and nothing else.

With the transaction that adds an entry, and not before its end, so that nobody waits for a lock
meanwhile, a link is added: the SHA-256 of the last link's digest and of all that the entry says.
Who works in the role of web and workers can neither write a link nor change an entry. What the
owner of the tables changes behind that back is told by `workspaces.audit_chain.verify`.
"""

from config.row_security import SETTING

# One text for one entry, whatever the session's settings are.
TEXT = """
CREATE FUNCTION workspaces_audit_text(entry workspaces_auditentry) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT jsonb_build_array(
        entry.id, entry.workspace_id, entry.action, entry.actor_id, entry.actor_label,
        entry.target, entry.target_label, entry.details, host(entry.address),
        to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')
    )::text
$$
"""

LOCK = "pg_advisory_xact_lock(hashtextextended('workspaces_auditlink', {}))"

ADD_LINK = f"""
CREATE FUNCTION workspaces_add_audit_link(entry workspaces_auditentry) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    last record;
BEGIN
    PERFORM {LOCK.format("entry.workspace_id")};
    PERFORM set_config('{SETTING}', entry.workspace_id::text, true);
    SELECT number, digest INTO last FROM workspaces_auditlink
    WHERE workspace_id = entry.workspace_id ORDER BY number DESC LIMIT 1;
    INSERT INTO workspaces_auditlink (workspace_id, number, entry_id, digest) VALUES (
        entry.workspace_id, coalesce(last.number, 0) + 1, entry.id,
        sha256(coalesce(last.digest, '') || convert_to(workspaces_audit_text(entry), 'UTF8'))
    );
END
$$;
REVOKE ALL ON FUNCTION workspaces_add_audit_link FROM PUBLIC;

CREATE FUNCTION workspaces_link_audit_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM workspaces_add_audit_link(NEW);
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER link_audit_entry AFTER INSERT ON workspaces_auditentry
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION workspaces_link_audit_entry()
"""  # noqa: S608 - composed of constants

LINK_KNOWN = f"""
DO $$
DECLARE
    of_workspace bigint;
    entry workspaces_auditentry;
BEGIN
    FOR of_workspace IN SELECT id FROM workspaces_workspace LOOP
        PERFORM set_config('{SETTING}', of_workspace::text, true);
        FOR entry IN SELECT * FROM workspaces_auditentry
            WHERE workspace_id = of_workspace ORDER BY id LOOP
            PERFORM workspaces_add_audit_link(entry);
        END LOOP;
    END LOOP;
    PERFORM set_config('{SETTING}', '', true);
END
$$
"""  # noqa: S608

# For the owner of the tables, whom no privilege restrains: a change then is meant.
APPEND_ONLY = """
CREATE FUNCTION workspaces_refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('segue.forgetting_audit', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'The audit log is only added to: % refused on %.', TG_OP, TG_TABLE_NAME;
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON workspaces_auditentry
FOR EACH STATEMENT EXECUTE FUNCTION workspaces_refuse_audit_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON workspaces_auditlink
FOR EACH STATEMENT EXECUTE FUNCTION workspaces_refuse_audit_change()
"""

# What is older than the workspace says goes, from the beginning on; the last link of what is gone
# stays, and the rest hangs from it. Returns how many entries went.
FORGET = f"""
CREATE FUNCTION workspaces_forget_audit(of_workspace bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    kept_since timestamptz;
    last_gone bigint;
    gone bigint;
BEGIN
    PERFORM set_config('{SETTING}', of_workspace::text, true);
    SELECT now() - make_interval(days => audit_days) INTO kept_since
    FROM workspaces_workspace WHERE id = of_workspace;
    IF kept_since IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM {LOCK.format("of_workspace")};
    SELECT coalesce(
        min(link.number) FILTER (WHERE entry.at >= kept_since) - 1, max(link.number)
    ) INTO last_gone
    FROM workspaces_auditlink link JOIN workspaces_auditentry entry
        ON entry.workspace_id = link.workspace_id AND entry.id = link.entry_id
    WHERE link.workspace_id = of_workspace;
    PERFORM set_config('segue.forgetting_audit', 'on', true);
    DELETE FROM workspaces_auditentry entry USING workspaces_auditlink link
    WHERE entry.workspace_id = of_workspace AND link.workspace_id = of_workspace
        AND link.entry_id = entry.id AND link.number <= last_gone;
    GET DIAGNOSTICS gone = ROW_COUNT;
    DELETE FROM workspaces_auditlink WHERE workspace_id = of_workspace AND number < last_gone;
    PERFORM set_config('segue.forgetting_audit', '', true);
    RETURN gone;
END
$$
"""  # noqa: S608

UNDO = """
DROP FUNCTION workspaces_forget_audit;
DROP TRIGGER append_only ON workspaces_auditlink;
DROP TRIGGER append_only ON workspaces_auditentry;
DROP FUNCTION workspaces_refuse_audit_change;
DROP TRIGGER link_audit_entry ON workspaces_auditentry;
DROP FUNCTION workspaces_link_audit_entry;
DROP FUNCTION workspaces_add_audit_link;
DROP FUNCTION workspaces_audit_text
"""

# In the order of the chain; entries that hang nowhere last.
READ = """
SELECT link.number, link.digest, coalesce(link.entry_id, entry.id),
    workspaces_audit_text(entry), entry.id IS NOT NULL
FROM (SELECT * FROM workspaces_auditlink WHERE workspace_id = %(workspace)s) link
FULL JOIN (SELECT * FROM workspaces_auditentry WHERE workspace_id = %(workspace)s) entry
    ON entry.workspace_id = link.workspace_id AND entry.id = link.entry_id
ORDER BY link.number NULLS LAST, entry.id
"""
