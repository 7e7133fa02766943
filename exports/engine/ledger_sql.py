"""The ledger's SQL after sending: take back what failed, name what was refused.

A batch's deliveries are those between its first and last address that carry its number, so that
the ledger's key finds them and no further index has to grow with it.
"""

DELIVERIES_OF_BATCH = """
    d.workspace_id = %(workspace)s AND d.destination_id = %(destination)s
    AND d.address BETWEEN %(first)s AND %(last)s AND d.batch_id = %(batch)s
"""

REJECT_BATCH = f"""
INSERT INTO exports_rejection (
    workspace_id, run_id, profile_id, profile_key, address, kind, reason, detail)
SELECT d.workspace_id, %(run)s, d.profile_id, coalesce(p.key, ''), d.address, 'rejected',
    %(reason)s, %(detail)s
FROM exports_delivery d
LEFT JOIN segments_profile p ON p.workspace_id = d.workspace_id AND p.id = d.profile_id
WHERE {DELIVERIES_OF_BATCH}
"""  # noqa: S608 - composed of constants

COUNT_BATCH = f"""
SELECT count(*) FILTER (WHERE d.previous_hash IS NULL),
    count(*) FILTER (WHERE d.previous_hash IS NOT NULL)
FROM exports_delivery d WHERE {DELIVERIES_OF_BATCH}
"""  # noqa: S608

FORGET_ADDED = f"""
DELETE FROM exports_delivery d WHERE {DELIVERIES_OF_BATCH} AND d.previous_hash IS NULL
"""  # noqa: S608

RESTORE_CHANGED = f"""
UPDATE exports_delivery d SET payload_hash = d.previous_hash, previous_hash = NULL, batch_id = NULL
WHERE {DELIVERIES_OF_BATCH} AND d.previous_hash IS NOT NULL
"""  # noqa: S608

# What an earlier reading in the same transaction left goes.
CREATE_READ = """
DROP TABLE IF EXISTS read_contact, known_contact;
CREATE TEMPORARY TABLE read_contact (address text, status text) ON COMMIT DROP
"""

ADD_COLUMN = "ALTER TABLE read_contact ADD COLUMN IF NOT EXISTS {} text"

SET_STATUS = "ALTER TABLE read_contact ALTER COLUMN status SET DEFAULT %(status)s"

COPY_READ = "COPY read_contact ({}) FROM STDIN (FORMAT csv)"

ANALYZE_READ = "ANALYZE read_contact (address)"

# What was read back, by address. Rows without a status are of the list.
CREATE_KNOWN_CONTACT = """
CREATE TEMPORARY TABLE known_contact ON COMMIT DROP AS
SELECT lower(btrim(address) COLLATE "C") AS address,
    bool_or(status = '') AS on_list,
    max(CASE WHEN status ILIKE 'unsub%' THEN 'unsubscribed'
        WHEN status ILIKE '%hold%' THEN 'on_hold' ELSE '' END) AS status
FROM read_contact WHERE address <> '' GROUP BY 1
"""

ANALYZE_KNOWN_CONTACT = "ANALYZE known_contact"

# Contacts that a batch carried and that the list does not hold now. Who unsubscribed is kept as
# opted out; what else was refused stays in the ledger, so that it is not sent again as it is.
REJECT_REFUSED = f"""
WITH missing AS (
    SELECT d.address, d.profile_id, d.previous_hash IS NOT NULL AS was_held,
        coalesce(nullif(k.status, ''), 'refused') AS reason
    FROM exports_delivery d
    LEFT JOIN known_contact k ON k.address = d.address
    WHERE {DELIVERIES_OF_BATCH} AND NOT coalesce(k.on_list, false)
), marked AS (
    UPDATE exports_delivery d SET refusal = m.reason
    FROM missing m
    WHERE d.workspace_id = %(workspace)s AND d.destination_id = %(destination)s
        AND d.address = m.address AND m.reason <> 'unsubscribed'
), let_go AS (
    DELETE FROM exports_delivery d USING missing m
    WHERE d.workspace_id = %(workspace)s AND d.destination_id = %(destination)s
        AND d.address = m.address AND m.reason = 'unsubscribed'
), opted_out AS (
    INSERT INTO exports_optout (workspace_id, account_id, list_id, address, reason, since)
    SELECT %(workspace)s, %(account)s, '', address, reason, now()
    FROM missing WHERE reason = 'unsubscribed'
    ON CONFLICT DO NOTHING
), named AS (
    INSERT INTO exports_rejection (
        workspace_id, run_id, profile_id, profile_key, address, kind, reason, detail)
    SELECT %(workspace)s, %(run)s, m.profile_id, coalesce(p.key, ''), m.address, 'rejected',
        m.reason, ''
    FROM missing m
    LEFT JOIN segments_profile p ON p.workspace_id = %(workspace)s AND p.id = m.profile_id
)
SELECT count(*) FILTER (WHERE NOT was_held), count(*) FILTER (WHERE was_held) FROM missing
"""  # noqa: S608
