"""From a model to its Avro schema, to the values that an encoder takes, and back without checks.

The subset is small on purpose: no unions but nullable, no enums (a string that may grow instead),
every list a tuple. So two editions can be compared by rules that fit on a page.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from genoflow.events.envelope import Envelope
from genoflow.events.errors import SchemaConflict
from genoflow.events.event import Event

NAMESPACE = "genoflow"
DECIMAL_PRECISION = 18  # digits: the bound of MoneyUsd, and of a 64-bit integer
DECIMAL_SCALE = 6  # a millionth of a dollar: a second of the smallest instance is 1.6 of them

Schema = Any  # Avro's own JSON: a name, a list for nullable, or an object
Convert = Callable[[Any], Any]

_SCALARS: dict[Any, Schema] = {
    str: "string",
    int: "long",
    float: "double",
    bool: "boolean",
    bytes: "bytes",
    UUID: {"type": "string", "logicalType": "uuid"},
    datetime: {"type": "long", "logicalType": "timestamp-micros"},
    date: {"type": "int", "logicalType": "date"},
    Decimal: {
        "type": "bytes",
        "logicalType": "decimal",
        "precision": DECIMAL_PRECISION,
        "scale": DECIMAL_SCALE,
    },
}


def full_name(event_type: str, version: str) -> str:
    """The record's name, which is also its subject: a new major is another subject."""
    return f"{NAMESPACE}.v{version.split('.', maxsplit=1)[0]}.{event_type}"


def schema_of(model: type[Event]) -> dict[str, Any]:
    """The Avro schema of an event: its envelope first, then the fields of the fact."""
    name = full_name(model.type(), model.about.version)
    namespace, _, short = name.rpartition(".")
    seen: set[str] = set()
    envelope = {"name": "envelope", "type": _record(Envelope, seen), "doc": "the outside"}
    fields = [_field(name, info, seen) for name, info in model.model_fields.items()]
    return {
        "type": "record",
        "name": short,
        "namespace": namespace,
        "doc": _doc(model),
        "fields": [envelope, *fields],
    }


def _doc(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _record(model: type[BaseModel], seen: set[str]) -> Schema:
    if model.__name__ in seen:  # Avro names a record once and refers to it afterwards
        return f"{NAMESPACE}.{model.__name__}"
    seen.add(model.__name__)
    fields = [_field(name, info, seen) for name, info in model.model_fields.items()]
    return {
        "type": "record",
        "name": model.__name__,
        "namespace": NAMESPACE,
        "doc": _doc(model),
        "fields": fields,
    }


def _field(name: str, info: FieldInfo, seen: set[str]) -> dict[str, Any]:
    if not info.description:
        raise SchemaConflict(f"field {name}: has no description; say what it means")
    field = {"name": name, "type": _type(info.annotation, name, seen), "doc": info.description}
    if not info.is_required():
        field["default"] = _default(info, name)
    return field


def _default(info: FieldInfo, name: str) -> Any:
    value = info.get_default(call_default_factory=True, validated_data={})
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if value == ():
        return []
    raise SchemaConflict(f"field {name}: the default {value!r} has no Avro form; use a plain one")


def _type(annotation: Any, name: str, seen: set[str]) -> Schema:
    annotation = bare(annotation)
    nullable = optional(annotation)
    if nullable is not None:
        return ["null", _type(nullable, name, seen)]
    if get_origin(annotation) is tuple:
        return {"type": "array", "items": _type(get_args(annotation)[0], name, seen)}
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _record(annotation, seen)
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    raise SchemaConflict(
        f"field {name}: {annotation!r} has no Avro form here; "
        f"use a scalar, a record, a tuple of one of them, or one of them or None"
    )


def bare(annotation: Any) -> Any:
    """The type without its marks."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation


def optional(annotation: Any) -> Any | None:
    """The type that may be null; None where it may not."""
    if get_origin(annotation) not in (Union, types.UnionType):
        return None
    others = [arg for arg in get_args(annotation) if arg is not type(None)]
    return others[0] if len(others) == 1 else None


@functools.cache
def to_avro(model: type[BaseModel]) -> Convert:
    """A function from an instance to the mapping that the encoder takes, without copying leaves."""
    nested = _nested(model, to_avro)

    def plain(instance: Any) -> Any:
        return instance.__dict__

    def converted(instance: Any) -> Any:
        values = dict(instance.__dict__)
        for name, convert in nested:
            values[name] = convert(values[name])
        return values

    return converted if nested else plain


@functools.cache
def from_avro(model: type[BaseModel]) -> Convert:
    """A function from decoded values to an instance, trusting that a writer validated them."""
    nested = _nested(model, from_avro)
    names = set(model.model_fields)
    new, put = model.__new__, object.__setattr__
    private = model.__private_attributes__

    def build(values: dict[str, Any]) -> Any:
        for name, convert in nested:
            values[name] = convert(values[name])
        instance = new(model)
        put(instance, "__dict__", values)
        put(instance, "__pydantic_fields_set__", names)
        put(instance, "__pydantic_extra__", None)
        put(instance, "__pydantic_private__", {} if private else None)
        return instance

    return build


def _nested(model: type[BaseModel], via: Callable[[type[BaseModel]], Convert]) -> list[Any]:
    found = [(name, _walk(info.annotation, via)) for name, info in model.model_fields.items()]
    return [(name, convert) for name, convert in found if convert is not None]


def _walk(annotation: Any, via: Callable[[type[BaseModel]], Convert]) -> Convert | None:
    annotation = bare(annotation)
    nullable = optional(annotation)
    if nullable is not None:
        inner = _walk(nullable, via)
        return inner and (lambda value: None if value is None else inner(value))
    if get_origin(annotation) is tuple:
        item = _walk(get_args(annotation)[0], via)
        if item is None:
            return tuple
        return lambda values: tuple([item(value) for value in values])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return via(annotation)
    return None
