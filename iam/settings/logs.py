"""The log as JSON lines, through structlog."""

import structlog


def json_lines() -> structlog.stdlib.ProcessorFormatter:
    """One JSON object per record: event, level, logger, time, and the traceback when there is one."""
    before = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
    ]
    after = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()]
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=after)
