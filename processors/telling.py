"""What a task says of itself: a line of its worker's log when it comes, goes, or parks something.

To who follows events' ways it tells spans of what a transaction wrote.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from genoflow.events.event import Event
from genoflow.events.event_parked import EventParked
from genoflow.events.spans import Spans, tell_appended, tell_effect
from genoflow.processors.step import Step

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


def tell_spans(spans: Spans, processor: str, step: Step, began_ns: int) -> None:
    """Tell who follows events' ways what a transaction wrote, and which effects it closed."""
    tell_appended(spans, step.events, began_ns or spans.now_ns())
    for effect in step.closed:
        opened_ns = int(effect.recorded_at.timestamp() * 1e9)
        tell_effect(spans, processor, effect.effect_id, effect.name, effect.cause, opened_ns)


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
