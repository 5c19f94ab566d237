"""The operations of the OpenAPI as methods: by tag, one class that waits and one that awaits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tools.client_shapes import ERROR, Shape, Shapes, docstring, name_of

JSON = "application/json"
STREAM = "text/event-stream"
FORM = "multipart/form-data"
KEY = "Idempotency-Key"
RESUMES = "last-event-id"  # the client's own: it says so where a stream was cut off
PAGE_FIELDS = {"limit": "page_size"}  # the walk has no limit, each of its calls has


@dataclass(frozen=True)
class Argument:
    """What a method takes, and where the API wants it."""

    name: str  # in Python
    field: str  # in the API
    place: str  # path, query, header, body, whole, content or key
    kind: str
    is_needed: bool


@dataclass(frozen=True)
class Operation:
    """One operation of the document, read."""

    tag: str
    name: str
    method: str
    path: str
    said: str
    arguments: tuple[Argument, ...]
    content_type: str
    answers: Mapping[int, str]  # by status, as types
    rows: tuple[str, str] | None  # the field and the type, of a page of a list
    item: str | None  # of a stream
    is_public: bool


def operations_of(document: Shape, shapes: Shapes) -> Iterator[Operation]:
    """Every operation of the document, in its order."""
    for path, methods in document["paths"].items():
        for method, one in methods.items():
            yield _operation(method.upper(), path, one, shapes)


def _operation(method: str, path: str, one: Shape, shapes: Shapes) -> Operation:
    tag = name_of(one["tags"][0])
    arguments = [*_parameters(one, shapes), *_of_body(one, shapes)]
    answers: dict[int, str] = {}
    rows = item = None
    for status, answer in one["responses"].items():
        content = answer.get("content", {})
        shape = content.get(JSON, {}).get("schema", {})
        if not status.isdecimal() or shape.get("$ref", "").endswith(f"/{ERROR}"):
            continue
        found = shapes.rows_of(shapes.resolved(shape))
        if status == "200" and found and "after" in {each.field for each in arguments}:
            rows = found[0], shapes.type_of(found[1])
        elif STREAM in content:
            item = shapes.type_of(content[STREAM].get("x-item", {}))
        elif int(status) < 300 or shape:
            answers[int(status)] = _answer(content, shape, shapes)
    if rows:
        arguments = [_paged(each) for each in arguments]
    clash = {each.name for each in arguments if [o.name for o in arguments].count(each.name) > 1}
    if clash:
        raise SystemExit(f"{method} {path}: takes {sorted(clash)} twice; rename one of them")
    return Operation(
        tag, name_of(one["operationId"].removeprefix(f"{tag}_")), method, path,
        one.get("description") or one["summary"], tuple(arguments),
        next(iter(one.get("requestBody", {}).get("content", {})), JSON),
        answers or {204: "NoneType"}, rows, item, one.get("security") == [],
    )  # fmt: skip


def _answer(content: Shape, shape: Shape, shapes: Shapes) -> str:
    if not content:
        return "NoneType"
    if JSON not in content:
        return "bytes"
    kind = shapes.type_of(shape)
    # As types that mypy takes for classes, which unions and abstract ones are not.
    if kind == "Any" or "|" in re.sub(r"\[.*\]", "", kind):
        return "object"
    return re.sub(r"^Mapping\b", "dict", kind)


def _paged(one: Argument) -> Argument:
    name = PAGE_FIELDS.get(one.field, one.name)
    return Argument(name, one.field, one.place, one.kind, one.is_needed)


def _parameters(one: Shape, shapes: Shapes) -> Iterator[Argument]:
    for given in one.get("parameters", []):
        field, place = given["name"], given["in"]
        if field.lower() == RESUMES:
            continue
        if field == KEY:
            yield Argument("idempotency_key", field, "key", "str", False)
            continue
        kind = shapes.type_of(given["schema"], is_argument=True).removesuffix(" | None")
        yield Argument(name_of(field), field, place, kind, given.get("required", False))


def _of_body(one: Shape, shapes: Shapes) -> Iterator[Argument]:
    body = one.get("requestBody", {})
    is_asked = body.get("required", False)
    for content_type, content in body.get("content", {}).items():
        if content_type != JSON:
            yield Argument("content", "content", "content", "bytes", is_asked)
            if content_type == FORM:  # with its boundary
                yield Argument("content_type", "content_type", "content type", "str", is_asked)
            return
        shape = shapes.resolved(content["schema"])
        if "properties" not in shape:
            kind = shapes.type_of(content["schema"], is_argument=True)
            yield Argument("body", "body", "whole", kind, is_asked)
            return
        for field, kind in shape["properties"].items():
            is_needed = is_asked and field in shape.get("required", [])
            told = shapes.type_of(kind, is_argument=True)
            told = told if is_needed else told.removesuffix(" | None")
            yield Argument(name_of(field), field, "body", told, is_needed)


def resource(tag: str, operations: list[Operation], *, is_async: bool) -> list[str]:
    """The class of one tag."""
    wire = "AsyncWire" if is_async else "Wire"
    lines = [
        f"class {class_of(tag, is_async=is_async)}:",
        f'    """The calls of {tag.replace("_", " ")}."""', "",
        f"    def __init__(self, wire: {wire}) -> None:", "        self._wire = wire",
    ]  # fmt: skip
    for one in operations:
        lines += ["", *_method(one, is_async=is_async)]
    return lines


def class_of(tag: str, *, is_async: bool) -> str:
    """What the class of a tag is called."""
    words = "".join(part.capitalize() for part in tag.split("_"))
    return f"{'Async' if is_async else ''}{words}Calls"


def _method(one: Operation, *, is_async: bool) -> list[str]:
    prefix, several = "Async" if is_async else "", list[str]()
    ask = "await self._wire.ask" if is_async else "self._wire.ask"
    if one.rows:
        gives, does = f"{prefix}Pages[{one.rows[1]}]", f"{prefix}Pages"
        tail = f'(self._wire, call, {one.rows[1]}, "{one.rows[0]}")'
    elif one.item:
        gives, does, tail = f"{prefix}Stream[{one.item}]", f"{prefix}Stream", ""
        tail = f"(self._wire, call, {one.item})"
    else:
        kinds = sorted(dict.fromkeys(one.answers.values()), key=lambda kind: kind == "NoneType")
        gives = " | ".join("None" if kind == "NoneType" else kind for kind in kinds)
        gives = "Any" if "object" in kinds else gives
        told = ", ".join(f"{status}: {kind}" for status, kind in one.answers.items())
        several = [f"        answers: Mapping[int, type[{gives}]] = {{{told}}}"]
        # In one literal mypy takes them for what all classes are.
        several, told = (several, "answers") if len(kinds) > 1 else ([], f"{{{told}}}")
        does, tail = ask, f"(call, {told})"
    lazily = one.rows or one.item
    begin = "async def" if is_async and not lazily else "def"
    return [
        f"    {begin} {one.name}({', '.join(_signature(one))}) -> {gives}:",
        *docstring(one.said, "        "),
        f"        call = Call({', '.join(_call(one))})",
        *several,
        f"        {'' if gives == 'None' else 'return '}{does}{tail}",
    ]


def _signature(one: Operation) -> Iterator[str]:
    yield "self"
    yield from (f"{arg.name}: {arg.kind}" for arg in one.arguments if arg.place == "path")
    named = [arg for arg in one.arguments if arg.place != "path"]
    if named:
        yield "*"
    # The sort is stable: what is needed stands first, a write's key last, between them the rest.
    for arg in sorted(named, key=lambda arg: (arg.place == "key", not arg.is_needed)):
        yield (
            f"{arg.name}: {arg.kind}" if arg.is_needed else f"{arg.name}: {arg.kind} | None = None"
        )


def _call(one: Operation) -> Iterator[str]:
    yield f'method="{one.method}"'
    path = re.sub(r"{(.+?)}", lambda found: f"{{{name_of(found[1])}}}", one.path)
    values = [arg.name for arg in one.arguments if arg.place == "path"]
    told = "".join(f", {name}={name}" for name in values)
    yield f'path=path_of("{path}"{told})' if values else f'path="{path}"'
    for place, field in (("query", "query"), ("header", "headers"), ("body", "fields")):
        given = [arg for arg in one.arguments if arg.place == place]
        if given:
            pairs = ", ".join(f'"{arg.field}": {arg.name}' for arg in given)
            yield f"{field}={{{pairs}}}"
    for arg in one.arguments:
        if arg.place == "whole":
            yield "body=body"
        if arg.place == "content":
            is_form = one.content_type == FORM
            told = "content_type" if is_form else f'"{one.content_type}"'
            yield f"content=content, content_type={told}"
        if arg.place == "key":
            yield "idempotency_key=idempotency_key or new_key()"
    if one.is_public:
        yield "is_public=True"


def everything(tags: Mapping[str, Any], *, is_async: bool) -> list[str]:
    """The class that has the calls of every tag."""
    wire = "AsyncWire" if is_async else "Wire"
    lines = [
        f"class {'Async' if is_async else ''}Resources:",
        '    """All calls, by what they are about."""', "",
        f"    def __init__(self, wire: {wire}) -> None:",
    ]  # fmt: skip
    return lines + [
        f"        self.{tag} = {class_of(tag, is_async=is_async)}(wire)" for tag in tags
    ]
