"""The codec's two functions of a type by the native room: what `binary` makes, compiled.

    writer(model), reader(model)    as those of `binary`, or None where the extension is not built

They give the same bytes and the same events, and raise one of `binary.NOT_MINE` on what is not
theirs, so that the Avro library has the last word here, too.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, get_args, get_origin
from uuid import UUID, SafeUUID

from pydantic import BaseModel

from genoflow.events.avro import bare, optional, schema_of
from genoflow.events.binary import EPOCH, REPEATED, Read, Write
from genoflow.events.envelope import Envelope
from genoflow.events.event import Event
from genoflow.native.batch import extension
from genoflow.native.program import program


class Tools(NamedTuple):
    """What sets a frozen model, and what makes the values that Python has classes for."""

    new: Any = object.__new__
    # The slots of a pydantic model, set past its frozen __setattr__.
    put_values: Any = BaseModel.__dict__["__dict__"].__set__
    put_names: Any = BaseModel.__dict__["__pydantic_fields_set__"].__set__
    put_extra: Any = BaseModel.__dict__["__pydantic_extra__"].__set__
    put_private: Any = BaseModel.__dict__["__pydantic_private__"].__set__
    put: Any = object.__setattr__
    id_class: Any = UUID
    id_safety: Any = SafeUUID.unknown
    epoch: Any = EPOCH
    timedelta: Any = timedelta
    from_day: Any = date.fromordinal
    decimal: Any = Decimal


def writer(model: type[Event]) -> Write | None:
    """A compiled function that writes the values of this model, envelope first."""
    rust = extension()
    if rust is None:
        return None
    root = program(schema_of(model), [""]).root
    write: Write = rust.Program(root, 1, ()).write
    return write


def reader(model: type[Event]) -> Read | None:
    """A compiled function that reads what `writer` wrote, trusting that it was validated before."""
    rust = extension()
    if rust is None:
        return None
    root = program(schema_of(model), [""]).root
    names = set(model.model_fields)
    whole = (model, names, False, (_made(Envelope), *_parts(model)))
    read: Read = rust.Models(root, whole, Tools()).read
    return read


def _parts(model: type[BaseModel]) -> tuple[Any, ...]:
    return tuple(_made(info.annotation) for info in model.model_fields.values())


def _made(annotation: Any) -> Any:
    """What is made of a type: nothing, its item's, or a model of this class."""
    annotation = bare(annotation)
    inner = optional(annotation)
    if inner is not None:
        return (_made(inner),)
    if get_origin(annotation) is tuple:
        return (_made(get_args(annotation)[0]),)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, set(annotation.model_fields), annotation in REPEATED, _parts(annotation)
    return None
