"""Dates, times and numbers in Catalan; E is the month with its preposition: de març, d’abril."""

DATE_FORMAT = r"j E \d\e\l Y"
SHORT_DATE_FORMAT = "j b Y"
DATETIME_FORMAT = r"j E \d\e\l Y, H:i"
SHORT_DATETIME_FORMAT = "j b Y, H:i"
TIME_FORMAT = "H:i"
MONTH_DAY_FORMAT = "j E"
FIRST_DAY_OF_WEEK = 1
DECIMAL_SEPARATOR = ","
THOUSAND_SEPARATOR = "."
NUMBER_GROUPING = 3
