"""The exports' SQL for erasing a person: what holds them, and what becomes of it."""

# What is or may be held of the person from here, and whether a request of theirs may be under way.
HELD = """
SELECT d.destination_id, d.profile_id, d.previous_hash IS NOT NULL AS was_held, d.refusal,
    d.leaving_run_id, b.id AS batch_id, b.state AS batch_state, b.attempted_at IS NOT NULL AS tried,
    b.run_id, coalesce(r.state, '') AS run_state
FROM exports_delivery d
LEFT JOIN exports_batch b ON b.workspace_id = d.workspace_id AND b.id = d.batch_id
LEFT JOIN exports_run r ON r.workspace_id = b.workspace_id AND r.id = b.run_id
WHERE d.workspace_id = %(workspace)s
    AND d.destination_id = ANY (ARRAY(
        SELECT id FROM exports_destination WHERE workspace_id = %(workspace)s))
    AND (d.address = ANY (%(addresses)s) OR d.profile_id = %(profile)s)
"""

ADDRESSES = """
SELECT DISTINCT address FROM exports_delivery
WHERE workspace_id = %(workspace)s AND profile_id = %(profile)s
"""

# Batches of runs that go on and whose request may name one of the addresses.
OPEN_BATCHES = """
SELECT b.id FROM exports_batch b
JOIN exports_run r ON r.workspace_id = b.workspace_id AND r.id = b.run_id
WHERE b.workspace_id = %(workspace)s AND b.body IS NOT NULL AND r.state = ANY (%(active)s)
    AND EXISTS (SELECT FROM unnest(%(addresses)s::text[]) address
        WHERE address COLLATE "C" BETWEEN b.first_address AND b.last_address)
ORDER BY b.id
"""

FORGET_DELIVERIES = """
DELETE FROM exports_delivery d
WHERE d.workspace_id = %(workspace)s
    AND d.destination_id = ANY (ARRAY(
        SELECT id FROM exports_destination WHERE workspace_id = %(workspace)s))
    AND (d.address = ANY (%(addresses)s) OR d.profile_id = %(profile)s)
"""

FORGET_OPT_OUTS = """
DELETE FROM exports_optout
WHERE workspace_id = %(workspace)s AND address = ANY (%(addresses)s)
"""

# The row stays, so that the run's account adds up; whom it is about does not.
BLANK_REJECTIONS = """
UPDATE exports_rejection SET
    profile_key = CASE WHEN profile_id = %(profile)s OR profile_key = %(key)s THEN ''
        ELSE profile_key END,
    address = CASE WHEN profile_id = %(profile)s OR profile_key = %(key)s
            OR lower(btrim(address)) = ANY (%(addresses)s) THEN ''
        ELSE address END,
    detail = CASE WHEN reason = 'duplicate_address' AND detail = %(key)s THEN '' ELSE detail END
WHERE workspace_id = %(workspace)s AND (
    profile_id = %(profile)s OR profile_key = %(key)s
    OR lower(btrim(address)) = ANY (%(addresses)s)
    OR reason = 'duplicate_address' AND detail = %(key)s)
"""

# The bounds of a batch are addresses: the nearest that are left, none once it has long ended.
NARROW_BATCHES = """
UPDATE exports_batch b SET (first_address, last_address) = (
    SELECT coalesce(min(d.address), ''), coalesce(max(d.address), '') FROM exports_delivery d
    WHERE d.workspace_id = b.workspace_id AND d.destination_id = (
            SELECT destination_id FROM exports_run r
            WHERE r.workspace_id = b.workspace_id AND r.id = b.run_id)
        AND d.address BETWEEN b.first_address AND b.last_address AND d.batch_id = b.id)
WHERE b.workspace_id = %(workspace)s
    AND (b.first_address = ANY (%(addresses)s) OR b.last_address = ANY (%(addresses)s))
"""

# How far a run has come with taking people off is an address; the one before it does as well.
MOVE_BACK_REMOVALS = """
UPDATE exports_run r SET removal = r.removal || jsonb_build_object('after', coalesce((
    SELECT max(d.address) FROM exports_delivery d
    WHERE d.workspace_id = r.workspace_id AND d.destination_id = r.destination_id
        AND d.leaving_run_id IS NOT NULL AND d.address < (r.removal ->> 'after') COLLATE "C"), ''))
WHERE r.workspace_id = %(workspace)s AND r.removal ->> 'after' = ANY (%(addresses)s)
"""

CUT_REMOVAL_SAMPLES = """
UPDATE exports_run r SET removal = r.removal || jsonb_build_object('sample', coalesce((
    SELECT jsonb_agg(one) FROM jsonb_array_elements_text(r.removal -> 'sample') one
    WHERE one <> ALL (%(addresses)s)), '[]'))
WHERE r.workspace_id = %(workspace)s AND r.removal -> 'sample' ?| %(addresses)s
"""

STATEMENTS = (
    FORGET_DELIVERIES,
    FORGET_OPT_OUTS,
    BLANK_REJECTIONS,
    NARROW_BATCHES,
    MOVE_BACK_REMOVALS,
    CUT_REMOVAL_SAMPLES,
)
