"""Logs: JSON lines on standard error, constant event text plus fields, personal data masked on the way out."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from services.contracts.privacy import mask


def _redact(_logger: object, _name: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: mask(value) if isinstance(value, str) else value for name, value in fields.items()}


def configure_logs(service: str) -> None:
    """Set up logging once per process, the standard library's included."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        ),
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # The driver tells of every reconnect at ERROR level; our own metrics and logs say what matters.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # noqa: TID251 - a library's logger
    logging.getLogger("_granian").setLevel(logging.WARNING)  # noqa: TID251 - a library's logger
    structlog.contextvars.bind_contextvars(service=service)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger for a module."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
