"""Valid examples of every event, made from the types of their fields and a seed."""

from __future__ import annotations

import random
import types
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from genoflow.events.envelope import Actor, Envelope, Producer
from genoflow.events.event import Event
from genoflow.events.types import NO_NUL, Choices

E = TypeVar("E", bound=Event)

# Beyond ASCII, control characters and four-byte letters: whatever a text may hold.
LETTERS = "abcXYZ019 .,-_/|'\"\\\n\täß→𝛼日"
ALPHANUMERIC = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def example(model: type[E], seed: int = 0) -> E:
    """A valid event of this type in its envelope; the same seed gives the same event."""
    return cast("E", _example(model, seed))


@lru_cache(maxsize=4_096)  # trials ask for the same one again and again
def _example(model: type[Event], seed: int) -> Event:
    maker = _Maker(random.Random(f"{model.type()}/{seed}"))
    event = model(**maker.fields(model))
    envelope = Envelope(
        **{
            **maker.fields(Envelope),
            "type": event.type(),
            "schema_version": event.about.version,
            "subject": event.key,
        }
    )
    return event.enveloped(envelope)


def bare_example(model: type[E], seed: int = 0) -> E:
    """The same fact before anybody put an envelope around it."""
    maker = _Maker(random.Random(f"{model.type()}/{seed}"))
    return model(**maker.fields(model))


def somebody() -> Actor:
    """An actor for tests that do not care who it was."""
    return Actor(kind="service", id="tests")


def someone() -> Producer:
    """A producer for tests that do not care which it was."""
    return Producer(service="tests", version="1")


class _Maker:
    def __init__(self, source: random.Random) -> None:
        self.source = source

    def fields(self, model: type[BaseModel]) -> dict[str, Any]:
        return {name: self.field(info) for name, info in model.model_fields.items()}

    def field(self, info: FieldInfo) -> Any:
        return self.value(info.annotation, list(info.metadata))

    def value(self, annotation: Any, marks: list[Any]) -> Any:
        origin, args = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            return self.value(args[0], [*marks, *_flat(args[1:])])
        if origin in (Union, types.UnionType):
            if self.source.random() < 0.4:
                return None
            return self.value(next(arg for arg in args if arg is not type(None)), [])
        if origin is tuple:
            least = _limit(marks, "min_length", 0)
            most = min(_limit(marks, "max_length", 3), least + 2)
            count = self.source.randint(least, most)
            return tuple(self.value(args[0], []) for _ in range(count))
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return annotation(**self.fields(annotation))
        return _SCALARS[annotation](self, marks)

    def text(self, marks: list[Any]) -> str:
        for mark in marks:
            if isinstance(mark, Choices):
                return str(self.source.choice(mark.allowed))
        pattern = next((p for mark in marks if (p := getattr(mark, "pattern", None))), None)
        if pattern is not None and pattern != NO_NUL:
            return _PATTERNS[pattern](self)
        least = _limit(marks, "min_length", 0)
        most = min(_limit(marks, "max_length", 40), 40)
        return self.letters(LETTERS, self.source.randint(least, most))

    def letters(self, alphabet: str, count: int) -> str:
        return "".join(self.source.choice(alphabet) for _ in range(count))

    def identifier(self) -> str:
        return self.letters(ALPHANUMERIC, 1) + self.letters(f"{ALPHANUMERIC}._-", 7)

    def integer(self, marks: list[Any]) -> int:
        least, most = _limit(marks, "ge", -(2**62)), _limit(marks, "le", 2**62)
        near = min(most, least + 1_000)
        edges = (least, most, self.source.randint(least, near), self.source.randint(least, most))
        return self.source.choice(edges)

    def floating(self, marks: list[Any]) -> float:
        least, most = _limit(marks, "ge", -1e12), _limit(marks, "le", 1e12)
        return self.source.choice((float(least), float(most), self.source.uniform(least, most)))

    def moment(self, marks: list[Any]) -> datetime:
        start = datetime(2020, 1, 1, tzinfo=UTC)
        return start + timedelta(microseconds=self.source.randrange(10**15))

    def money(self, marks: list[Any]) -> Decimal:
        return Decimal(self.source.randrange(10 ** self.source.randint(1, 18))).scaleb(-6)

    def uuid(self, marks: list[Any]) -> UUID:
        return UUID(int=self.source.getrandbits(128), version=4)

    def octets(self, marks: list[Any]) -> bytes:
        return self.source.randbytes(self.source.randint(0, 40))


_SCALARS: dict[Any, Any] = {
    str: _Maker.text,
    int: _Maker.integer,
    float: _Maker.floating,
    bool: lambda maker, marks: maker.source.random() < 0.5,
    bytes: _Maker.octets,
    UUID: _Maker.uuid,
    datetime: _Maker.moment,
    date: lambda maker, marks: date(2026, 1, 1) + timedelta(days=maker.source.randrange(999)),
    Decimal: _Maker.money,
}
_HEX = "0123456789abcdef"
_PATTERNS: dict[str, Callable[[_Maker], str]] = {
    r"^[A-Za-z0-9][A-Za-z0-9._-]*$": _Maker.identifier,
    r"^[A-Za-z][A-Za-z0-9_]*$": lambda m: "n" + m.letters("abc019_", 6),
    r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$": lambda m: m.letters("abc019", 8),
    r"^[a-z][a-z0-9+.-]*:[^\x00]*$": lambda m: "s3://" + m.letters(LETTERS, 9),
    r"^gf\.[a-z0-9.-]+$": lambda m: m.source.choice(("gf.sample.v1", "gf.run.v1")),
    r"^[0-9]{4}-(0[1-9]|1[0-2])$": lambda m: m.source.choice(("2026-03", "2026-12")),
    r"^[^\x00-\x1f\x7f]*$": lambda m: m.letters("stage=validated 0,1", 12),
    r"^([01][0-9]|2[0-3]):[0-5][0-9]$": lambda m: m.source.choice(("06:30", "22:00")),
    r"^[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$": lambda m: m.source.choice(
        ("Europe/Berlin", "UTC")
    ),
    r"^[0-9a-f]{32}$": lambda m: m.letters(_HEX, 32),
    r"^sha256:[0-9a-f]{64}$": lambda m: f"sha256:{m.letters(_HEX, 64)}",
    r"^[0-9a-f]{40}([0-9a-f]{24})?$": lambda m: m.letters(_HEX, 40),
    r"^[0-9a-f]{64}$": lambda m: m.letters(_HEX, 64),
    r"^[ACGTN]{1,30}$": lambda m: m.letters("ACGTN", m.source.randint(1, 30)),
    r"^[ACGTN]{1,100}$": lambda m: m.letters("ACGTN", m.source.randint(1, 100)),
    r"^[YIUN0-9;*]+$": lambda m: m.source.choice(("Y151;I8;I8;Y151", "U7N1Y143;I8;I8;Y*")),
    r"^[a-z]+/[A-Za-z0-9.+-]+$": lambda m: m.source.choice(("text/x-vcf", "application/bam")),
    r"^[0-9]+(\.[0-9]+){0,2}$": lambda m: m.source.choice(("1", "1.2", "10.20.30")),
    r"^[0-9]+\.[0-9]+$": lambda m: "1.0",
    r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$": lambda m: (
        f"00-{m.letters(_HEX, 32)}-{m.letters(_HEX, 16)}-{m.letters(_HEX, 2)}"
    ),
}


def _flat(marks: tuple[Any, ...]) -> list[Any]:
    found: list[Any] = []
    for mark in marks:
        found.extend(mark.metadata if isinstance(mark, FieldInfo) else [mark])
    return found


def _limit(marks: list[Any], name: str, otherwise: Any) -> Any:
    for mark in marks:
        limit = getattr(mark, name, None)
        if limit is not None:
            return limit
    return otherwise
