"""A request as a step of a trace: it hears `traceparent` of the W3C, and what it says carries it.

Where nobody takes spans, what is appended carries the caller's own `traceparent`. Where somebody
does, it carries the request's, which is told when it is answered: what follows hangs below it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

from genoflow.events.envelope import Envelope
from genoflow.events.spans import Context, Span, Spans, context_of

HEADER = "traceparent"
SERVICE = "api"  # as the flow names the porch
# Newer versions may say more behind it; ff is none, and neither is an id of nothing but zeros.
GIVEN = re.compile(
    r"(?:00(?=.{53}$)|(?!00|ff)[0-9a-f]{2})"
    r"-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?"
)


class Step:
    """One request on its way: which trace it is of, and what it says meanwhile."""

    def __init__(self, given: str, spans: Spans | None) -> None:
        found = GIVEN.fullmatch(given)
        self._spans = spans
        self._parent = int(found[2], 16) if found else None
        self.said: list[Envelope] = []  # events of other traces that it appended
        self.carried: str | None = None
        if spans is None:
            self.carried = f"00-{found[1]}-{found[2]}-{found[3]}" if found else None
            return
        self._began_ns = spans.now_ns()
        trace = found[1] if found else secrets.token_hex(16)
        self.carried = f"00-{trace}-{secrets.token_hex(8)}-{found[3] if found else '01'}"

    def answered(self, method: str, route: str, status: int, request_id: str) -> None:
        """Tell the span of this request; by its route, for a path may name whom it is about."""
        spans, carried = self._spans, self.carried
        if spans is None or carried is None or not int(carried[-2:], 16) & 1:
            return
        spans.put(
            Span(
                service=SERVICE,
                name=f"{method} {route}",
                context=Context(int(carried[3:35], 16), int(carried[36:52], 16)),
                parent_id=self._parent,
                began_ns=self._began_ns,
                ended_ns=spans.now_ns(),
                kind="server",
                attributes={
                    "http.request.method": method,
                    "http.route": route,
                    "http.response.status_code": status,
                    "genoflow.request.id": request_id,
                },
                links=_others(carried, self.said),
                fault=str(status) if status >= 500 else "",
            )
        )


def _others(carried: str, said: Sequence[Envelope]) -> tuple[Context, ...]:
    found = map(context_of, said)
    return tuple(one for one in found if one.trace_id != int(carried[3:35], 16))
