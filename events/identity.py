"""Names that anybody can compute again: the same fact has the same id, whoever reports it."""

from __future__ import annotations

import json
from uuid import UUID, uuid5

# uuid5(NAMESPACE_DNS, "genoflow"), written out: it can never change.
GENOFLOW = UUID("05aee22c-adb8-5341-9835-189106469463")


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _joined(*parts: str) -> str:
    # A JSON list is injective: ("a", "b,c") and ("a,b", "c") give different names.
    return _encode(parts)


def external_id(event_type: str, *parts: str) -> UUID:
    """The id of a fact that comes from outside, from what identifies it out there."""
    return uuid5(GENOFLOW, _joined(event_type, *parts))


def derived_id(
    cause: UUID, processor: str, event_type: str, subject: str, *discriminator: str
) -> UUID:
    """The id of a fact that follows from another: no ordinal, so new code shifts no old id."""
    return uuid5(cause, _joined(processor, event_type, subject, *discriminator))
