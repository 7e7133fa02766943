"""The text of what profiles keep, in PostgreSQL's SQL."""

from segments.conversion import JOINT


def text_of(value: str) -> str:
    """The one text that the JSON value is shown and sent as: a list's texts with commas between."""
    return (
        f"CASE jsonb_typeof({value}) WHEN 'array' THEN"  # noqa: S608 - of an expression of ours
        f" (SELECT string_agg(one, '{JOINT}' ORDER BY place)"
        f" FROM jsonb_array_elements_text({value}) WITH ORDINALITY AS single (one, place))"
        f" ELSE {value} #>> '{{}}' END"
    )
