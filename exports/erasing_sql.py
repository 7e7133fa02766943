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

# Batches of runs that go on which carry the person.
CARRYING = """
SELECT batch_id FROM exports_batchcontacts
WHERE workspace_id = %(workspace)s
    AND (addresses && %(addresses)s::text[] OR %(profile)s::bigint = ANY (profile_ids))
ORDER BY batch_id
"""

# The person in one of them: whether the list held them before.
CARRIED = """
SELECT c.profile_id, c.address, d.address IS NOT NULL AS was_held
FROM exports_batchcontacts b
CROSS JOIN LATERAL unnest(b.addresses, b.profile_ids) AS c (address, profile_id)
LEFT JOIN exports_delivery d ON d.workspace_id = b.workspace_id
    AND d.destination_id = %(destination)s AND d.address = c.address AND d.refusal = ''
    AND (d.batch_id IS DISTINCT FROM b.batch_id OR d.previous_hash IS NOT NULL)
WHERE b.workspace_id = %(workspace)s AND b.batch_id = %(batch)s
    AND (c.address = ANY (%(addresses)s) OR c.profile_id = %(profile)s)
"""

_GONE = "c.address = ANY (%(addresses)s) OR c.profile_id = %(profile)s"

_CARRIED_AGAIN = """
UPDATE exports_batchcontacts b
SET (addresses, profile_ids, payload_hashes) = (
    SELECT coalesce(array_agg({address} ORDER BY c.n), '{{}}'),
        coalesce(array_agg({profile} ORDER BY c.n), '{{}}'),
        coalesce(array_agg(c.payload_hash ORDER BY c.n), '{{}}')
    FROM unnest(b.addresses, b.profile_ids, b.payload_hashes)
        WITH ORDINALITY AS c (address, profile_id, payload_hash, n)
    WHERE {staying})
WHERE b.workspace_id = %(workspace)s AND b.batch_id = %(batch)s
"""

SUPPRESSED = """
SELECT s.address FROM exports_batchcontacts b
CROSS JOIN LATERAL unnest(b.addresses) AS c (address)
JOIN segments_suppression s ON s.workspace_id = b.workspace_id AND s.address = c.address
WHERE b.workspace_id = %(workspace)s AND b.batch_id = %(batch)s
"""

# From a request that has not left they are gone.
CUT_OUT = _CARRIED_AGAIN.format(
    address="c.address", profile="c.profile_id", staying=f"NOT ({_GONE})"
)

# Of a request that has left it is kept how many it carried, and of them not who they are.
BLANK = _CARRIED_AGAIN.format(
    address=f"CASE WHEN {_GONE} THEN '' ELSE c.address END",
    profile=f"CASE WHEN {_GONE} THEN 0 ELSE c.profile_id END",
    staying="true",
)

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

# The row stays, so that the run's account adds up; whom it is about does not. The key of a profile
# that is no more is theirs if the address is.
BLANK_REJECTIONS = """
UPDATE exports_rejection r SET
    profile_key = CASE WHEN profile_id = %(profile)s OR profile_key = %(key)s
            OR lower(btrim(address)) = ANY (%(addresses)s) AND NOT EXISTS (
                SELECT FROM segments_profile p
                WHERE p.workspace_id = r.workspace_id AND p.id = r.profile_id) THEN ''
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
    MOVE_BACK_REMOVALS,
    CUT_REMOVAL_SAMPLES,
)
