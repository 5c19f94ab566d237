"""How an effect that failed becomes an outcome that a person looks at."""

from __future__ import annotations

import traceback

from genoflow.events.errors import Parked
from genoflow.processors.ledger import OpenEffect
from genoflow.processors.step import Outcome


class FailedElsewhere(Parked):
    """An effect failed in another process: its class and its trace are what was said there."""

    def __init__(self, message: str, error_class: str, error_trace: str) -> None:
        super().__init__(message)
        self.error_class = error_class
        self.error_trace = error_trace


def parked(effect: OpenEffect, error: Exception, reason: str = "") -> Outcome:
    """The outcome of an effect that failed for good: why, and where."""
    told = error if isinstance(error, FailedElsewhere) else error.__cause__
    if isinstance(told, FailedElsewhere):
        error_class, trace = told.error_class, told.error_trace
    else:
        error_class, trace = type(error).__name__, "".join(traceback.format_exception(error))
    why = reason or str(error) or type(error).__name__
    return Outcome(effect.effect_id, parked=why, error_class=error_class, error_trace=trace)
