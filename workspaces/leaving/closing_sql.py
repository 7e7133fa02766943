"""What PostgreSQL itself holds to when a workspace is deleted, with its audit log.

Web and workers may delete no entry of the log. A function of the tables' owner does it for a
workspace whose time has come, and a trigger sees to it that nobody brings that time forward.
"""

from config.database_roles import WORK_ROLE
from config.row_security import SETTING

# A little less than the grace period, for clocks that are behind.
KEEP_GRACE = f"""
CREATE FUNCTION workspaces_keep_grace() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.delete_at IS NOT NULL AND current_user = '{WORK_ROLE}'
        AND (TG_OP = 'INSERT' OR NEW.delete_at IS DISTINCT FROM OLD.delete_at)
        AND NEW.delete_at < clock_timestamp() + interval '6 days 23 hours'
    THEN
        RAISE EXCEPTION 'A workspace is deleted seven days after somebody asks for it, not before.';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_grace BEFORE INSERT OR UPDATE OF delete_at ON workspaces_workspace
FOR EACH ROW EXECUTE FUNCTION workspaces_keep_grace()
"""

# Returns how many entries went, and the digest of the last link, in hexadecimal.
DELETE_AUDIT = f"""
CREATE FUNCTION workspaces_delete_audit(
    of_workspace bigint, OUT entries bigint, OUT head text
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM workspaces_workspace
        WHERE id = of_workspace AND delete_at <= clock_timestamp())
    THEN
        RAISE EXCEPTION 'The audit log of workspace % is not to be deleted now.', of_workspace;
    END IF;
    PERFORM set_config('{SETTING}', of_workspace::text, true);
    SELECT encode(digest, 'hex') INTO head FROM workspaces_auditlink
    WHERE workspace_id = of_workspace ORDER BY number DESC LIMIT 1;
    PERFORM set_config('segue.forgetting_audit', 'on', true);
    DELETE FROM workspaces_auditentry WHERE workspace_id = of_workspace;
    GET DIAGNOSTICS entries = ROW_COUNT;
    DELETE FROM workspaces_auditlink WHERE workspace_id = of_workspace;
    PERFORM set_config('segue.forgetting_audit', '', true);
END
$$
"""  # noqa: S608 - composed of constants

UNDO = """
DROP FUNCTION workspaces_delete_audit;
DROP TRIGGER keep_grace ON workspaces_workspace;
DROP FUNCTION workspaces_keep_grace
"""
