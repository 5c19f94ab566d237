"""Log lines: JSON for machines, colours for a terminal, and no identifier of a person in either.

What a line is about is bound once, where an event is taken up, and stands on every line below it.
Lines of libraries take the same way out, so that the same rules hold for them.
"""

from __future__ import annotations

import contextlib
import logging
import re
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

if TYPE_CHECKING:
    from genoflow.events.event import Event

REDACTED = "[identifier withheld]"
# Libraries that tell every fetch and every retry at `info`: their warnings are enough.
QUIET_LIBRARIES = (
    "aiokafka", "boto3", "botocore", "urllib3", "asyncio", "uvicorn.access", "faust", "mode",
    "genoflow.processors.watchtower.app", "genoflow.processors.watchtower.reading",
)  # fmt: skip

ABOUT = ("event_id", "correlation_id", "processor")  # what says on every line what it is about


class Redaction:
    """Withholds whatever matches a configured pattern of identifiers of persons."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = tuple(re.compile(pattern) for pattern in patterns)

    def text(self, value: str) -> str:
        """The text without what identifies a person."""
        for pattern in self._patterns:
            value = pattern.sub(REDACTED, value)
        return value

    def value(self, value: Any) -> Any:
        """The same for texts inside lists and mappings, and for what others print as text."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bytes):
            return self.text(value.decode("utf-8", "replace"))
        if isinstance(value, dict):
            return {self.value(key): self.value(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(inner) for inner in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.text(str(value))

    def __call__(self, _logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        """A step of structlog: the last one before a line is rendered."""
        kept = {name: line.pop(name) for name in ("_record", "_from_structlog") if name in line}
        return {str(self.value(name)): self.value(value) for name, value in line.items()} | kept


def configure_logs(*, level: str, patterns: Sequence[str], stream: TextIO | None = None) -> None:
    """Send every line of this process to one stream (standard error), in one form."""
    out = stream or sys.stderr
    redaction = Redaction(patterns)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        # Rooms that know no structlog say the same three with `extra`.
        structlog.stdlib.ExtraAdder(allow=ABOUT),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redaction,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(out)],
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for library in QUIET_LIBRARIES:
        logging.getLogger(library).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _renderer(out: TextIO) -> Processor:
    if out.isatty():
        return structlog.dev.ConsoleRenderer(colors=True)
    return structlog.processors.JSONRenderer(ensure_ascii=False, sort_keys=True)


@contextlib.contextmanager
def about(event: Event, *, processor: str) -> Iterator[None]:
    """Every line within says which event it is about, in which story, and who is at work."""
    envelope = event.envelope
    with structlog.contextvars.bound_contextvars(
        event_id=str(envelope.event_id),
        correlation_id=str(envelope.correlation_id),
        processor=processor,
    ):
        yield
