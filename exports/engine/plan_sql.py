"""The plan's SQL: one statement judges every profile in the selected segments.

Purpose: a temporary table `planned`, one row a profile, with its fate and its payload. One sort by
address serves the choice among duplicates, and the order in which the ledger's index grows: the
rows keep it from there on, and are numbered as they come. Addresses compare in collation "C",
several times faster than in a language's; a valid one needs no escapes in JSON.
"""

from dataclasses import dataclass
from typing import Any

import orjson

from exports.configuration import Match, RunConfiguration

MAX_ADDRESS_BYTES = 80
ADDRESS = (
    r"^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[a-z0-9]+(?:-+[a-z0-9]+)*\.)+[a-z][a-z0-9-]*[a-z0-9]$"
)
BLANKS = " \t\r\n\f\v\u00a0\u200b\ufeff"


@dataclass(frozen=True)
class Statement:
    sql: str
    parameters: dict[str, Any]


def plan_statement(configuration: RunConfiguration, *, full: bool) -> Statement:
    """Makes the temporary table `planned` (see the module)."""
    parameters: dict[str, Any] = {
        "workspace": configuration.workspace_id,
        "destination": configuration.destination_id or 0,
        "account": configuration.account_id,
        "segments": list(configuration.segment_ids),
        "email": configuration.email,
        "blanks": BLANKS,
        "address": ADDRESS,
        "max_address": MAX_ADDRESS_BYTES,
        "full": full,
    }
    columns, payloads, problems = [], [], []
    for number, match in enumerate(configuration.matches):
        column = f"v{number}"
        parameters[f"attribute_{number}"] = match.attribute
        columns.append(f", {_value(match, number)} AS {column}")
        payloads.append(_payload(match, column, number, parameters))
        if match.kind == "text":
            parameters[f"length_{number}"] = match.max_length
            parameters[f"problem_{number}"] = f"field_too_long:{match.field}"
            problems.append(
                f"WHEN char_length({column}) > %(length_{number})s THEN %(problem_{number})s"
            )
    return Statement(
        _PLAN.format(
            members=_MEMBERS_OF_ONE if len(configuration.segment_ids) == 1 else _MEMBERS,
            columns="".join(columns),
            payloads="".join(payloads),
            problems="\n            ".join(problems),
        ),
        parameters,
    )


def _value(match: Match, number: int) -> str:
    text = f"p.attributes ->> %(attribute_{number})s"
    if match.kind in ("date", "birthday"):
        return f"left({text}, 10)"
    return f"nullif(btrim({text}, %(blanks)s), '')"


def _payload(match: Match, column: str, number: int, parameters: dict[str, Any]) -> str:
    if match.kind == "birthday":
        return (
            f""" || coalesce(',"birthday_month":' || substr({column}, 6, 2)::int"""
            f""" || ',"birthday_day":' || substr({column}, 9, 2)::int, '')"""
        )
    parameters[f"field_{number}"] = f",{orjson.dumps(match.field).decode()}:"
    return f" || coalesce(%(field_{number})s || to_json({column})::text, '')"


_MEMBERS_OF_ONE = """
    SELECT profile_id FROM segments_segmentmember
    WHERE workspace_id = %(workspace)s AND segment_id = (%(segments)s::bigint[])[1]"""

_MEMBERS = """
    SELECT DISTINCT profile_id FROM segments_segmentmember
    WHERE workspace_id = %(workspace)s AND segment_id = ANY (%(segments)s::bigint[])"""

_PLAN = """
CREATE TEMPORARY TABLE planned ON COMMIT DROP AS
WITH member AS ({members}
), candidate AS (
    SELECT p.id, p.key, p.updated_at,
        lower(btrim(p.attributes ->> %(email)s, %(blanks)s) COLLATE "C") AS address{columns}
    FROM member
    JOIN segments_profile p ON p.workspace_id = %(workspace)s AND p.id = member.profile_id
    OFFSET 0
), judged AS (
    SELECT *, CASE WHEN problem IS NULL THEN address END AS valid_address
    FROM (
    SELECT id, key, updated_at, address,
        CASE
            WHEN address IS NULL OR address = '' THEN 'no_address'
            WHEN octet_length(address) > %(max_address)s OR strpos(address, '@') > 65
                THEN CASE WHEN address ~ '[^ -~]' THEN 'not_ascii' ELSE 'address_too_long' END
            WHEN address !~ %(address)s
                THEN CASE WHEN address ~ '[^ -~]' THEN 'not_ascii' ELSE 'malformed_address' END
            {problems}
        END AS problem,
        '{{"email":"' || address || '"'{payloads} || '}}' AS payload
    FROM candidate
    OFFSET 0
    ) checked
), ranked AS (
    SELECT *,
        row_number() OVER same_address AS place,
        first_value(key) OVER same_address AS winner
    FROM judged
    WINDOW same_address AS (PARTITION BY valid_address ORDER BY updated_at DESC, key)
), compared AS (
    SELECT ranked.*, hashtextextended(payload, 0) AS payload_hash,
        d.payload_hash AS known_hash,
        CASE WHEN o.address IS NOT NULL THEN 'unsubscribed' ELSE coalesce(d.refusal, '') END
            AS refusal
    FROM ranked
    LEFT JOIN exports_optout o
        ON o.workspace_id = %(workspace)s AND o.account_id = %(account)s
        AND o.address = ranked.valid_address AND ranked.place = 1
    LEFT JOIN exports_delivery d
        ON d.workspace_id = %(workspace)s AND d.destination_id = %(destination)s
        AND d.address = ranked.valid_address AND ranked.place = 1
), fated AS (
    SELECT *,
        CASE
            WHEN problem IS NOT NULL THEN 'invalid'
            WHEN place > 1 THEN 'duplicate'
            WHEN refusal IN ('unsubscribed', 'on_hold') THEN 'suppressed'
            WHEN refusal <> '' AND known_hash = payload_hash AND NOT %(full)s THEN 'rejected'
            WHEN known_hash IS NULL OR refusal <> '' THEN 'added'
            WHEN known_hash = payload_hash AND NOT %(full)s THEN 'unchanged'
            ELSE 'changed'
        END AS fate
    FROM compared
)
SELECT id, key, address, fate, payload, payload_hash, known_hash IS NOT NULL AS known,
    CASE fate
        WHEN 'invalid' THEN problem
        WHEN 'duplicate' THEN 'duplicate_address:' || winner
        WHEN 'suppressed' THEN refusal
        WHEN 'rejected' THEN refusal
    END AS reason,
    count(*) FILTER (WHERE fate IN ('added', 'changed')) OVER so_far AS position,
    sum(octet_length(payload) + 1) FILTER (WHERE fate IN ('added', 'changed')) OVER so_far
        AS bytes
FROM fated
WINDOW so_far AS (ROWS UNBOUNDED PRECEDING)
"""

COUNT_BY_FATE = "SELECT fate, count(*) FROM planned GROUP BY fate"

INDEX_POSITIONS = """
CREATE INDEX planned_position ON planned (position, bytes) WHERE fate IN ('added', 'changed')
"""

# The furthest row that a batch starting after `position` and `bytes` can still take.
LAST_OF_BATCH = """
SELECT position, bytes FROM planned
WHERE fate IN ('added', 'changed')
    AND position > %(position)s AND position <= %(position)s + %(contacts)s
    AND bytes <= %(bytes)s + %(limit)s
ORDER BY position DESC LIMIT 1
"""

INSERT_BATCH = """
INSERT INTO exports_batch (
    workspace_id, run_id, number, state, failure, reason, contacts, first_address, last_address,
    body, body_bytes, activity_id, activity, attempts, rejected)
SELECT %(workspace)s, %(run)s, %(number)s, 'planned', '', '', count(*), min(address), max(address),
    convert_to(%(head)s || string_agg(payload, ',' ORDER BY position) || %(tail)s, 'UTF8'),
    %(body_bytes)s, '', '{}', 0, 0
FROM planned
WHERE fate IN ('added', 'changed') AND position > %(after)s AND position <= %(last)s
RETURNING id
"""

INSERT_DELIVERIES = """
INSERT INTO exports_delivery (
    workspace_id, destination_id, address, profile_id, payload_hash, previous_hash, refusal,
    batch_id)
SELECT %(workspace)s, %(destination)s, address, id, payload_hash, NULL, '',
    (%(batches)s::bigint[])[width_bucket(position, %(firsts)s::bigint[])]
FROM planned WHERE fate IN ('added', 'changed') AND NOT known
"""

UPDATE_DELIVERIES = """
UPDATE exports_delivery d
SET profile_id = planned.id,
    previous_hash = CASE WHEN d.refusal = '' THEN d.payload_hash END,
    payload_hash = planned.payload_hash,
    refusal = '',
    leaving_run_id = NULL,
    batch_id = (%(batches)s::bigint[])[width_bucket(position, %(firsts)s::bigint[])]
FROM planned
WHERE planned.fate IN ('added', 'changed') AND planned.known
    AND d.workspace_id = %(workspace)s AND d.destination_id = %(destination)s
    AND d.address = planned.address
"""

# Whom the list got from this destination, and still has.
COUNT_HELD = """
SELECT count(*) FROM exports_delivery d
WHERE d.workspace_id = %(workspace)s AND d.destination_id = %(destination)s AND d.refusal = ''
"""

_LEAVING = """
    d.workspace_id = %(workspace)s AND d.destination_id = %(destination)s AND d.refusal = ''
    AND NOT EXISTS (SELECT 1 FROM planned p
        WHERE p.address = d.address AND p.fate IN ('added', 'changed', 'unchanged'))
"""

SAMPLE_OF_LEAVING = f"""
SELECT d.address FROM exports_delivery d WHERE {_LEAVING} ORDER BY d.address LIMIT %(size)s
"""  # noqa: S608 - composed of constants

MARK_LEAVING = f"""
UPDATE exports_delivery d SET leaving_run_id = %(run)s WHERE {_LEAVING}
"""  # noqa: S608

INSERT_REJECTIONS = """
INSERT INTO exports_rejection (
    workspace_id, run_id, profile_id, profile_key, address, kind, reason, detail)
SELECT %(workspace)s, %(run)s, id, key, coalesce(address, ''), fate,
    split_part(reason, ':', 1), substr(reason, length(split_part(reason, ':', 1)) + 2)
FROM planned WHERE fate IN ('invalid', 'duplicate', 'suppressed', 'rejected')
"""

SAMPLE_OF_CONTACTS = """
SELECT payload FROM planned WHERE fate IN ('added', 'changed', 'unchanged')
ORDER BY fate = 'unchanged', position LIMIT %(size)s
"""

SAMPLE_OF_REJECTIONS = """
SELECT id, key, coalesce(address, ''), fate, split_part(reason, ':', 1),
    substr(reason, length(split_part(reason, ':', 1)) + 2)
FROM planned WHERE fate IN ('invalid', 'duplicate', 'suppressed', 'rejected')
ORDER BY fate, key LIMIT %(size)s
"""

BATCHES_AND_BYTES = """
SELECT count(*), coalesce(max(bytes), 0) FROM planned WHERE fate IN ('added', 'changed')
"""
