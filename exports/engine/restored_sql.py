"""What was read of a list after a restore, brought into the ledger; `read_contact` is there."""

# Who stands for each address, as the plan will judge.
CREATE_MEMBER = """
CREATE TEMPORARY TABLE member ON COMMIT DROP AS
SELECT DISTINCT ON (address) address, id FROM (
    SELECT btrim(lower((p.attributes ->> %(email)s) COLLATE "C"), %(blanks)s) AS address, p.id,
        p.updated_at, p.key
    FROM segments_profile p
    WHERE p.workspace_id = %(workspace)s AND p.id IN (
        SELECT profile_id FROM segments_segmentmember
        WHERE workspace_id = %(workspace)s AND segment_id = ANY (%(segments)s::bigint[]))
) found
WHERE address <> ''
ORDER BY address, updated_at DESC, key
"""

DROP_MEMBER = "DROP TABLE member"

FORGET_LEFT = """
WITH gone AS (
    DELETE FROM off_list off
    WHERE NOT EXISTS (SELECT FROM member WHERE member.address = off.address)
    RETURNING off.address
)
DELETE FROM exports_delivery d USING gone
WHERE d.workspace_id = %(workspace)s AND d.destination_id = %(destination)s
    AND d.address = gone.address
"""

ADOPT = """
INSERT INTO exports_delivery (
    workspace_id, destination_id, address, profile_id, payload_hash, refusal)
SELECT DISTINCT ON (member.address)
    %(workspace)s, %(destination)s, member.address, member.id, {hash}, ''
FROM member
JOIN read_contact r ON lower(r.address COLLATE "C") = member.address AND r.status = ''
ORDER BY member.address
ON CONFLICT DO NOTHING
"""
