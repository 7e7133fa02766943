"""The ledger's SQL from sending on: enter a batch, take back what failed, name what was refused."""

# Whom a batch carries, as rows.
_CARRIED = """
    exports_batchcontacts b
    CROSS JOIN LATERAL unnest(b.addresses, b.profile_ids, b.payload_hashes)
        AS c (address, profile_id, payload_hash)
"""

_OF_BATCH = "b.workspace_id = %(workspace)s AND b.batch_id = %(batch)s"

ENTER_ADDED = f"""
INSERT INTO exports_delivery (
    workspace_id, destination_id, address, profile_id, payload_hash, previous_hash, refusal,
    batch_id)
SELECT %(workspace)s, %(destination)s, c.address, c.profile_id, c.payload_hash, NULL, '',
    %(batch)s
FROM {_CARRIED} WHERE {_OF_BATCH}
"""  # noqa: S608 - composed of constants

ENTER_ADDED_AND_CHANGED = f"""
{ENTER_ADDED}
ON CONFLICT (workspace_id, destination_id, address) DO UPDATE
SET profile_id = excluded.profile_id,
    previous_hash = CASE WHEN exports_delivery.refusal <> '' THEN NULL
        WHEN exports_delivery.leaving_run_id IS NOT NULL THEN 0
        ELSE exports_delivery.payload_hash END,
    payload_hash = excluded.payload_hash,
    refusal = '',
    leaving_run_id = NULL,
    batch_id = excluded.batch_id
"""

# The deliveries that a batch has entered.
_ENTERED = f"""
    {_OF_BATCH} AND d.workspace_id = %(workspace)s AND d.destination_id = %(destination)s
    AND d.address = c.address AND d.batch_id = %(batch)s
"""

REJECT_BATCH = f"""
INSERT INTO exports_rejection (
    workspace_id, run_id, profile_id, profile_key, address, kind, reason, detail)
SELECT %(workspace)s, %(run)s, c.profile_id, coalesce(p.key, ''), c.address, 'rejected',
    %(reason)s, %(detail)s
FROM {_CARRIED}
LEFT JOIN segments_profile p ON p.workspace_id = %(workspace)s AND p.id = c.profile_id
WHERE {_OF_BATCH}
"""  # noqa: S608

# Of a batch that the provider may have taken: who was new may be on the list, and whoever is, with
# what values, is not known. They are sent again, and taken off when they leave.
DOUBT_ADDED = f"""
UPDATE exports_delivery d SET payload_hash = 0, leaving_run_id = %(run)s, batch_id = NULL
FROM {_CARRIED} WHERE {_ENTERED} AND d.previous_hash IS NULL
"""  # noqa: S608

FORGET_ADDED = f"""
DELETE FROM exports_delivery d USING {_CARRIED} WHERE {_ENTERED} AND d.previous_hash IS NULL
"""  # noqa: S608

RESTORE_CHANGED = f"""
UPDATE exports_delivery d
SET payload_hash = CASE WHEN %(may_be_taken)s THEN 0 ELSE d.previous_hash END,
    leaving_run_id = CASE WHEN d.previous_hash = 0 THEN %(run)s END,
    previous_hash = NULL, batch_id = NULL
FROM {_CARRIED} WHERE {_ENTERED} AND d.previous_hash IS NOT NULL
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

# Contacts that a batch carried and that the list does not hold now. Whom it held before, the
# provider has no cause to refuse: they were taken off meanwhile, or their address was changed. They
# and who unsubscribed are kept as opted out; what else was refused stays in the ledger, so that it
# is not sent again as it is.
REJECT_REFUSED = f"""
WITH missing AS (
    SELECT d.address, d.profile_id, d.previous_hash IS NOT NULL AS was_held,
        CASE WHEN k.status <> '' THEN k.status
            WHEN coalesce(d.previous_hash, 0) = 0 THEN 'refused'
            WHEN k.address IS NULL THEN 'changed_at_provider'
            ELSE 'taken_off' END AS reason
    FROM {_CARRIED}
    JOIN exports_delivery d ON {_ENTERED}
    LEFT JOIN known_contact k ON k.address = c.address
    WHERE NOT coalesce(k.on_list, false)
), marked AS (
    UPDATE exports_delivery d SET refusal = m.reason
    FROM missing m
    WHERE d.workspace_id = %(workspace)s AND d.destination_id = %(destination)s
        AND d.address = m.address AND m.reason IN ('refused', 'on_hold')
), let_go AS (
    DELETE FROM exports_delivery d USING missing m
    WHERE d.workspace_id = %(workspace)s AND d.destination_id = %(destination)s
        AND d.address = m.address AND m.reason NOT IN ('refused', 'on_hold')
), opted_out AS (
    INSERT INTO exports_optout (workspace_id, account_id, list_id, address, reason, since)
    SELECT %(workspace)s, %(account)s, CASE WHEN reason = 'unsubscribed' THEN '' ELSE %(list)s END,
        address, reason, now()
    FROM missing WHERE reason NOT IN ('refused', 'on_hold')
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
