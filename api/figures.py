"""What this process has counted and measured, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from genoflow.api.refusal import Refusal
from genoflow.events.errors import Refused

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

    from genoflow.api.counters import Counters

NO_ROUTE = "none"  # what was asked for is nothing that there is: any name would be a figure


class Figures:
    """What is counted of uploads, and how long answers take."""

    def __init__(self, also: Callable[[], Iterable[Metric]] = tuple) -> None:
        self._also = also  # what others count in this process

    @cached_property
    def _counters(self) -> Counters:
        # A command that changes an account makes services, too: the library takes it 0.1 s.
        from genoflow.api.counters import Counters  # noqa: PLC0415

        return Counters()

    @contextmanager
    def counted(self, value: str) -> Iterator[None]:
        """Count a request about an upload: under this value, or as refused or failed."""
        try:
            yield
        except Refusal as error:
            self._counters.uploads.labels("refused" if error.status_code < 500 else "failed").inc()
            raise
        except Refused:
            self._counters.uploads.labels("refused").inc()
            raise
        except BaseException:
            self._counters.uploads.labels("failed").inc()
            raise
        self._counters.uploads.labels(value).inc()

    def uploaded(self, seconds: float) -> None:
        """Count how long an upload took."""
        self._counters.duration.observe(seconds)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count how long a request of a route took."""
        self._counters.answers.labels(method, route, str(status)).observe(seconds)

    def text(self, rows: Iterable[Metric] = ()) -> str:
        """All of them in the text format, with these that the rows tell."""
        return self._counters.text([*rows, *self._also()])
