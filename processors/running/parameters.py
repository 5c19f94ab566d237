"""Parameters of a pipeline held against the schema that it was published with.

Of JSON Schema this takes what tells a misspelt or missing name and a value of another kind:
`properties` with `type` and `enum`, `required`, and `additionalProperties` false.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def faults_of(parameters: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Everything for which the pipeline would not know these parameters."""
    properties = schema.get("properties")
    known: Mapping[str, Any] = properties if isinstance(properties, dict) else {}
    found = list(_missing(parameters, schema.get("required")))
    for name, value in parameters.items():
        if name in known:
            found += _value_faults(name, value, known[name])
        elif schema.get("additionalProperties") is False:
            there = ", ".join(sorted(known)) or "none"
            found.append(f"{name}: the pipeline knows no such parameter; there are {there}")
    return found


def _missing(parameters: Mapping[str, Any], required: object) -> Iterator[str]:
    for name in required if isinstance(required, list) else ():
        if name not in parameters:
            yield f"{name}: the pipeline needs it and it is not there"


def _value_faults(name: str, value: object, rule: object) -> Iterator[str]:
    if not isinstance(rule, dict):
        return
    kinds = rule.get("type")
    named = kinds if isinstance(kinds, list) else [kinds] if isinstance(kinds, str) else []
    if named and not any(_is(value, kind) for kind in named):
        yield f"{name}: is {value!r:.60}, and {' or '.join(map(str, named))} is asked for"
    choices = rule.get("enum")
    if isinstance(choices, list) and value not in choices:
        yield f"{name}: is {value!r:.60}, and can be {', '.join(map(str, choices))}"


def _is(value: object, kind: str) -> bool:
    if isinstance(value, bool) and kind != "boolean":
        return False  # in Python it is an integer, too
    return isinstance(value, KINDS.get(kind, (object,)))
