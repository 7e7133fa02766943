"""Cells that a spreadsheet shows as text, whatever the data holds."""

STARTS_OF_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_cell(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would run as a formula.

    See OWASP, "CSV Injection". Blanks before the formula don't make it any safer.
    """
    if text.lstrip(" \u00a0").startswith(STARTS_OF_FORMULAS):
        return f"'{text}"
    return text
