"""Names that anybody can compute again: the same fact has the same id, whoever reports it."""

from __future__ import annotations

from hashlib import sha1
from json.encoder import encode_basestring
from uuid import UUID, SafeUUID

# uuid5(NAMESPACE_DNS, "genoflow"), written out: it can never change.
GENOFLOW = UUID("05aee22c-adb8-5341-9835-189106469463")


# RFC 9562: all but the four bits of the version and the two of the variant.
_KEPT = (1 << 128) - 1 - (0xF000 << 64) - (0xC000 << 48)
_VERSION_5 = 5 << 76 | 0x8000 << 48


def _joined(*parts: str) -> str:
    # A JSON list is injective: ("a", "b,c") and ("a,b", "c") give different names. Put together
    # here, because json's own encoder is set up anew for every list.
    return f"[{','.join(map(encode_basestring, parts))}]"


def _uuid5(space: UUID, name: str) -> UUID:
    # What uuid.uuid5 makes, in half its time: every event pays for it.
    digest = sha1(space.bytes + name.encode(), usedforsecurity=False).digest()
    value = UUID.__new__(UUID)
    object.__setattr__(value, "int", int.from_bytes(digest[:16], "big") & _KEPT | _VERSION_5)
    object.__setattr__(value, "is_safe", SafeUUID.unknown)
    return value


def external_id(event_type: str, *parts: str) -> UUID:
    """The id of a fact that comes from outside, from what identifies it out there."""
    return _uuid5(GENOFLOW, _joined(event_type, *parts))


def derived_id(
    cause: UUID, processor: str, event_type: str, subject: str, *discriminator: str
) -> UUID:
    """The id of a fact that follows from another: no ordinal, so new code shifts no old id."""
    return _uuid5(cause, _joined(processor, event_type, subject, *discriminator))
