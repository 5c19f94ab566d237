"""What a task says in the log of its worker: one line when it comes, goes, or parks something."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from genoflow.events.event import Event
from genoflow.events.event_parked import EventParked

_log = logging.getLogger("genoflow.task")


def taken_over(processor: str, place: tuple[str, int], position: int, effects: int) -> None:
    """A task goes on here."""
    _log.info(
        "%s takes over %s[%d] at %d, open effects: %d", processor, *place, position, effects,
        extra={"processor": processor},
    )  # fmt: skip


def left(processor: str, place: tuple[str, int], position: int) -> None:
    """A task was given up here, with everything committed."""
    _log.info("%s left %s[%d] at %d", processor, *place, position, extra={"processor": processor})


def parked(events: Iterable[Event]) -> None:
    """Whatever of these committed events says that a person has to look at something."""
    for event in events:
        if isinstance(event, EventParked):
            _log.warning(
                "%s parked %s %s: %s; `genoflow parked show %s` tells more", event.processor,
                "an effect of" if event.effect_id else "the key", event.subject_key, event.error,
                event.envelope.event_id,
                extra={
                    "processor": event.processor,
                    "event_id": str(event.envelope.event_id),
                    "correlation_id": str(event.envelope.correlation_id),
                },
            )  # fmt: skip
