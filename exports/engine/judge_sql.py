"""The judging SQL: what becomes of every profile in the selected segments.

Two temporary tables. `candidate` has one row a profile, `settled` when the ledger says that the
provider holds it just as it is: told by a hash of its values, in the one pass over the profiles,
so that a run with nothing changed costs little more than reading them. `planned` judges all
others, in the order of their addresses, in which the ledger's index grows. Addresses compare in
collation "C", several times faster than in a language's; a valid one needs no escapes in JSON.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from exports.configuration import Match, RunConfiguration
from segments.erased import is_erased_address
from segments.models import BLANKS, AttributeType
from segments.value_sql import text_of

MAX_ADDRESS_BYTES = 80
ADDRESS = (
    r"^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[a-z0-9]+(?:-+[a-z0-9]+)*\.)+[a-z][a-z0-9-]*[a-z0-9]$"
)


@dataclass(frozen=True)
class Statement:
    sql: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Judging:
    """The statements that make `candidate`, `planned`, and a sample of what is settled."""

    candidates: Statement
    planned: Statement
    sample_of_settled: Statement


def judging(
    configuration: RunConfiguration,
    *,
    full: bool,
    has_ledger: bool,
    tidied: bool,
    suppresses: bool,
    erased: dict[str, Any] | None,
) -> Judging:
    """How to judge for this configuration; with `full` nothing counts as settled.

    `tidied` says that nobody who opted out is left in the ledger, `suppresses` that the workspace
    has a suppression list; `erased` is what erased addresses are known by, if there are any.
    """
    parameters: dict[str, Any] = {
        "workspace": configuration.workspace_id,
        "destination": configuration.destination_id or 0,
        "account": configuration.account_id,
        "list": configuration.list_id,
        "segments": list(configuration.segment_ids),
        "email": configuration.email,
        "blanks": BLANKS,
        "address": ADDRESS,
        "max_address": MAX_ADDRESS_BYTES,
        "full": full,
        **(erased or {}),
    }
    for number, match in enumerate(configuration.matches):
        parameters[f"attribute_{number}"] = match.attribute
        parameters[f"name_{number}"] = f",{orjson.dumps(match.field).decode()}:"
        parameters[f"length_{number}"] = match.max_length
        parameters[f"problem_{number}"] = f"field_too_long:{match.field}"
    matches = configuration.matches
    values = [_value(match, number) for number, match in enumerate(matches)]
    columns = [f"v{number}" for number in range(len(matches))]
    carried = "".join(f", {column}" for column in columns)
    rivals = _SETTLED_RIVALS.format(columns=carried, address=_ADDRESS)
    payload = _PAYLOAD.format("".join(_member(*pair) for pair in enumerate(matches)))
    settled = has_ledger and not full
    but = ("" if tidied else _BUT_OPTED_OUT) + (_BUT_SUPPRESSED if suppresses else "")
    return Judging(
        Statement(
            _CANDIDATES.format(
                members=_MEMBERS_OF_ONE if len(configuration.segment_ids) == 1 else _MEMBERS,
                columns="".join(f", {v} AS {c}" for v, c in zip(values, columns, strict=True)),
                **(_IN_LEDGER if settled else _NO_LEDGER),
                join=_JOIN_LEDGER.format(
                    hash=_hash(_RAW_ADDRESS, values),
                    but=but,
                )
                if settled
                else "",
            ),
            parameters,
        ),
        Statement(
            _PLANNED.format(
                hash=_hash("address", columns),
                payload=payload,
                address=_ADDRESS,
                columns=carried,
                rivals=rivals if settled else "",
                opted_out=_OPTED_OUT_OR_ERASED if erased else "o.reason",
                problems="\n            ".join(_problem(*pair) for pair in enumerate(matches)),
            ),
            parameters,
        ),
        Statement(_SAMPLE_OF_SETTLED.format(payload=payload), parameters),
    )


def _value(match: Match, number: int) -> str:
    if match.type == AttributeType.LIST:
        return text_of(f"(p.attributes -> %(attribute_{number})s)")
    text = f"p.attributes ->> %(attribute_{number})s"
    return f"left({text}, 10)" if match.kind in ("date", "birthday") else text


def _hash(address: str, values: Sequence[str]) -> str:
    """What is sent, as a number: the same for the same contact, whatever attributes it is from."""
    parts = "".join(f" || coalesce(%(name_{n})s || ({v}), '')" for n, v in enumerate(values))
    return f"hashtextextended({address}{parts}, 0)"


def _member(number: int, match: Match) -> str:
    column = f"v{number}"
    if match.kind == "birthday":
        return (
            f""" || coalesce(',"birthday_month":' || substr({column}, 6, 2)::int"""
            f""" || ',"birthday_day":' || substr({column}, 9, 2)::int, '')"""
        )
    return f" || coalesce(%(name_{number})s || to_json({column})::text, '')"


def _problem(number: int, match: Match) -> str:
    if match.kind != "text":
        return ""
    return f"WHEN char_length(v{number}) > %(length_{number})s THEN %(problem_{number})s"


_MEMBERS_OF_ONE = """
    SELECT profile_id FROM segments_segmentmember
    WHERE workspace_id = %(workspace)s AND segment_id = (%(segments)s::bigint[])[1]"""

_MEMBERS = """
    SELECT DISTINCT profile_id FROM segments_segmentmember
    WHERE workspace_id = %(workspace)s AND segment_id = ANY (%(segments)s::bigint[])"""

_RAW_ADDRESS = """lower((p.attributes ->> %(email)s) COLLATE "C")"""

_PAYLOAD = """'{{"email":"' || address || '"'{} || '}}'"""

_CANDIDATES = """
CREATE TEMPORARY TABLE candidate ON COMMIT DROP AS
SELECT p.id, p.key, p.updated_at, {address} AS raw_address, {well_formed} AS well_formed,
    {settled} AS settled, {held_hash} AS held_hash{columns}
FROM ({members}
) member
JOIN segments_profile p ON p.workspace_id = %(workspace)s AND p.id = member.profile_id
{join}
"""

_NO_LEDGER = {
    "address": _RAW_ADDRESS,
    "well_formed": f"{_RAW_ADDRESS} ~ %(address)s",
    "settled": "false",
    "held_hash": "NULL::bigint",
}

_IN_LEDGER = {
    "address": f"coalesce(d.address, {_RAW_ADDRESS})",
    "well_formed": f"d.address IS NOT NULL OR {_RAW_ADDRESS} ~ %(address)s",
    "settled": "d.address IS NOT NULL",
    "held_hash": "d.payload_hash",
}

_JOIN_LEDGER = """LEFT JOIN exports_delivery d
    ON d.workspace_id = %(workspace)s AND d.destination_id = %(destination)s
    AND d.refusal = '' AND d.leaving_run_id IS NULL
    AND d.profile_id = p.id AND d.payload_hash = {hash}{but}"""

_BUT_OPTED_OUT = """
    AND d.address NOT IN (SELECT address FROM exports_optout
        WHERE workspace_id = %(workspace)s AND account_id = %(account)s
            AND list_id IN ('', %(list)s))"""

_BUT_SUPPRESSED = """
    AND d.address NOT IN (SELECT address FROM segments_suppression
        WHERE workspace_id = %(workspace)s)"""

_OPTED_OUT_OR_ERASED = f"""coalesce(o.reason, CASE
            WHEN written.place = 1 AND {is_erased_address("written.valid_address")} THEN 'erased'
        END)"""

_ADDRESS = "CASE WHEN well_formed THEN raw_address ELSE btrim(raw_address, %(blanks)s) END"

# `OFFSET 0` keeps an expression from being evaluated wherever its name is used.
# A settled one who shares an address with somebody to be judged is judged again, with them.
_SETTLED_RIVALS = """UNION ALL
    SELECT id, key, updated_at, raw_address, well_formed, settled, held_hash{columns}
    FROM candidate WHERE settled AND raw_address IN (
        SELECT {address} FROM candidate WHERE NOT settled)"""

_PLANNED = """
CREATE TEMPORARY TABLE planned ON COMMIT DROP AS
WITH contender AS (
    SELECT id, key, updated_at, {address} AS address, well_formed, settled, held_hash{columns}
    FROM candidate WHERE NOT settled
    {rivals}
), judged AS (
    SELECT *, CASE WHEN problem IS NULL THEN address END AS valid_address
    FROM (
    SELECT *,
        CASE
            WHEN settled THEN NULL
            WHEN address IS NULL OR address = '' THEN 'no_address'
            WHEN octet_length(address) > %(max_address)s OR strpos(address, '@') > 65
                THEN CASE WHEN address ~ '[^ -~]' THEN 'not_ascii' ELSE 'address_too_long' END
            WHEN NOT well_formed AND address !~ %(address)s
                THEN CASE WHEN address ~ '[^ -~]' THEN 'not_ascii' ELSE 'malformed_address' END
            {problems}
        END AS problem
    FROM contender
    OFFSET 0
    ) checked
), ranked AS (
    SELECT *,
        row_number() OVER same_address AS place,
        first_value(key) OVER same_address AS winner
    FROM judged
    WINDOW same_address AS (PARTITION BY valid_address ORDER BY updated_at DESC, key)
), written AS (
    SELECT *,
        CASE WHEN settled THEN held_hash ELSE {hash} END AS payload_hash,
        CASE WHEN valid_address IS NOT NULL AND place = 1 AND NOT settled THEN {payload} END
            AS payload
    FROM ranked
    OFFSET 0
), compared AS (
    SELECT written.*,
        d.payload_hash AS known_hash, coalesce(d.refusal, '') AS refusal,
        d.leaving_run_id IS NOT NULL AS in_doubt, {opted_out} AS opted_out
    FROM written
    LEFT JOIN (
        SELECT address, max(reason) AS reason FROM (
            SELECT address, reason FROM exports_optout
            WHERE workspace_id = %(workspace)s AND account_id = %(account)s
                AND list_id IN ('', %(list)s)
            UNION ALL
            SELECT address, 'suppressed' FROM segments_suppression
            WHERE workspace_id = %(workspace)s
        ) nos
        GROUP BY address
    ) o ON o.address = written.valid_address AND written.place = 1
    LEFT JOIN exports_delivery d
        ON d.workspace_id = %(workspace)s AND d.destination_id = %(destination)s
        AND d.address = written.valid_address AND written.place = 1
), fated AS (
    SELECT *,
        CASE
            WHEN problem IS NOT NULL THEN 'invalid'
            WHEN place > 1 THEN 'duplicate'
            WHEN opted_out IS NOT NULL OR refusal = 'on_hold' THEN 'suppressed'
            WHEN refusal <> '' AND known_hash = payload_hash AND NOT %(full)s THEN 'rejected'
            WHEN known_hash IS NULL OR refusal <> '' THEN 'added'
            WHEN known_hash = payload_hash AND NOT in_doubt AND NOT %(full)s THEN 'unchanged'
            ELSE 'changed'
        END AS fate
    FROM compared
    OFFSET 0
)
SELECT id, key, address, fate, settled, payload, payload_hash, known_hash IS NOT NULL AS known,
    CASE fate
        WHEN 'invalid' THEN problem
        WHEN 'duplicate' THEN 'duplicate_address:' || winner
        WHEN 'suppressed' THEN coalesce(opted_out, refusal)
        WHEN 'rejected' THEN refusal
    END AS reason,
    count(*) FILTER (WHERE fate IN ('added', 'changed')) OVER so_far AS position,
    sum(octet_length(payload) + 1) FILTER (WHERE fate IN ('added', 'changed')) OVER so_far
        AS bytes
FROM fated
WINDOW so_far AS (ROWS UNBOUNDED PRECEDING)
"""

_SAMPLE_OF_SETTLED = """
SELECT {payload} FROM (
    SELECT *, raw_address AS address FROM candidate WHERE settled
    ORDER BY raw_address LIMIT %(size)s
) held
"""

COUNT = """
SELECT fate, settled, known, count(*) FROM planned GROUP BY fate, settled, known
"""

COUNT_SETTLED = "SELECT count(*) FROM candidate WHERE settled"
