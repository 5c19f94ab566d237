"""How failures are told apart: whose hand can mend them, and what shows it."""

from __future__ import annotations

from typing import Annotated

from genoflow.events.types import Choices, Text

# data: a file that came in. pipeline: its code, or what it left. infrastructure: a machine, a
# service, a network. lab: what people ordered, published or set.
FailureClass = Annotated[str, Choices("data", "pipeline", "infrastructure", "lab")]
EVIDENCE_MAX = 20  # lines: what a person reads at a glance
Evidence = tuple[Text, ...]
