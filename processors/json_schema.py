"""A document held against a JSON Schema: every fault with its path and the way out.

Of JSON Schema (2020-12) this takes what the schemas of our documents use, and refuses to guess at
the rest: a keyword that it does not know is an error of the schema, not of the document.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
SHOWN_CHARACTERS_MAX = 60  # of a value that is repeated in a fault
NOTES = frozenset({"$schema", "$id", "$defs", "title", "description"})
TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "boolean": (bool,),
    "number": (int, float), "integer": (int,), "null": (type(None),),
}  # fmt: skip


def faults_of(value: object, schema: Schema) -> list[str]:
    """Everything for which this document is none of the schema; empty where it is one."""
    return [f"{path}: {fact}" if path else fact for path, fact in _faults(value, schema, schema)]


Fault = tuple[str, str]  # path, and what is wrong there
Check = Callable[[Any, Any], Iterator[str]]  # (value, rule) -> what is wrong


def _faults(value: object, schema: Schema, root: Schema, path: str = "") -> Iterator[Fault]:
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix("#/$defs/")
        yield from _faults(value, root["$defs"][name], root, path)
        return
    if "type" in schema and not _is_any(value, schema["type"]):
        wanted = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        yield path, f"is {_shown(value)}; write {_a(' or '.join(wanted))}"
        return  # nothing else can be said of a value of another kind
    for word, rule in schema.items():
        if word in RULES:
            yield from ((path, fact) for fact in RULES[word](value, rule))
        elif word not in NOTES | STRUCTURE | {"type"}:
            raise AssertionError(f"the schema says {word!r}, which is not known here")
    if isinstance(value, dict):
        yield from _members(value, schema, root, path)
    if isinstance(value, list) and "items" in schema:
        for number, one in enumerate(value):
            yield from _faults(one, schema["items"], root, _below(path, str(number)))


def _members(value: Mapping[str, Any], schema: Schema, root: Schema, path: str) -> Iterator[Fault]:
    known: Mapping[str, Schema] = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield _below(path, name), "is missing; add it"
    for name, one in value.items():
        if "propertyNames" in schema:
            place = _below(path, name[:SHOWN_CHARACTERS_MAX])
            yield from _faults(name, schema["propertyNames"], root, place)
        if name in known:
            yield from _faults(one, known[name], root, _below(path, name))
        elif isinstance(schema.get("additionalProperties"), dict):
            yield from _faults(one, schema["additionalProperties"], root, _below(path, name))
        elif schema.get("additionalProperties") is False:
            place = _below(path, name[:SHOWN_CHARACTERS_MAX])
            yield place, f"is not known; leave it out, there are {', '.join(known)}"


STRUCTURE = frozenset({"properties", "required", "additionalProperties", "propertyNames", "items"})


def _const(value: object, rule: Any) -> Iterator[str]:
    if value != rule:
        yield f"is {_shown(value)}; write {rule!r}"


def _enum(value: object, rule: Any) -> Iterator[str]:
    if value not in rule:
        yield f"is {_shown(value)}; write one of {', '.join(map(str, rule))}"


def _pattern(value: object, rule: Any) -> Iterator[str]:
    if isinstance(value, str) and re.search(rule, value) is None:
        yield f"is {_shown(value)}; write what fits {rule}"


def _unique(value: object, rule: Any) -> Iterator[str]:
    if rule and isinstance(value, list) and len({repr(one) for one in value}) < len(value):
        yield "has an item twice; leave one out"


def _length(least: bool, unit: str, kind: type[Any]) -> Check:
    def check(value: Any, rule: Any) -> Iterator[str]:
        if isinstance(value, kind) and (len(value) < rule if least else len(value) > rule):
            yield f"has {len(value):,} {unit}; give it at {'least' if least else 'most'} {rule:,}"

    return check


def _limit(least: bool) -> Check:
    def check(value: Any, rule: Any) -> Iterator[str]:
        if _is_any(value, "number") and (value < rule if least else value > rule):
            yield f"is {_shown(value)}; write at {'least' if least else 'most'} {rule:,}"

    return check


RULES: Mapping[str, Check] = {
    "const": _const,
    "enum": _enum,
    "pattern": _pattern,
    "minLength": _length(True, "characters", str),
    "maxLength": _length(False, "characters", str),
    "minItems": _length(True, "items", list),
    "maxItems": _length(False, "items", list),
    "maxProperties": _length(False, "members", dict),
    "uniqueItems": _unique,
    "minimum": _limit(True),
    "maximum": _limit(False),
}


def _is_any(value: object, kinds: object) -> bool:
    named = kinds if isinstance(kinds, list) else [kinds]
    return any(_is(value, str(kind)) for kind in named)


def _is(value: object, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"  # in Python it is an integer, too
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, TYPES[kind])


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _shown(value: object) -> str:
    text = repr(value)
    short = text[:SHOWN_CHARACTERS_MAX]
    return short if len(text) <= SHOWN_CHARACTERS_MAX else f"{short}…"


def _a(noun: str) -> str:
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"
