"""How log lines look: JSON for machines, or plain text for a person at a terminal.

A line never holds personal data or secrets. So a page is named by its view, never by its address.
"""

import logging
from typing import Any

import orjson
import structlog

FORMS = ("json", "plain")


class WithoutAddresses(logging.Filter):
    """Takes out of a line which address was asked for: keys, tokens and names stand in some."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = record.__dict__.pop("request", None)
        path = getattr(request, "path", None)
        if path and isinstance(record.args, tuple):
            match = getattr(request, "resolver_match", None)
            route = f"/{match.route}" if match else "an address of no page"
            record.args = tuple(route if one == path else one for one in record.args)
        return True


_CONTEXT = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
)


def configuration(level: str, form: str) -> dict[str, Any]:
    """For `logging.config.dictConfig`."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "plain": {"format": "{levelname} {name}: {message}", "style": "{"},
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _CONTEXT,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    structlog.processors.JSONRenderer(serializer=_json),
                ],
            },
        },
        "filters": {"without_addresses": {"()": WithoutAddresses}},
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": form,
                "filters": ["without_addresses"],
            }
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # In detail it logs addresses of pages whole, with the e-mail address asked for.
            "urllib3": {"level": "INFO"},
            # A line for each page would hide the rest from whoever reads along.
            "config.observed": {"level": level if form == "json" else "WARNING"},
        },
    }


def _json(value: Any, default: Any = None, **_options: Any) -> str:
    return orjson.dumps(value, default=default, option=orjson.OPT_NON_STR_KEYS).decode()
