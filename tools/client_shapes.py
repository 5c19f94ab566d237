"""The shapes of the OpenAPI as Python types, and as the frozen models of the client."""

from __future__ import annotations

import builtins
import keyword
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

Shape = Mapping[str, Any]
REF = "#/components/schemas/"
ERROR = "ErrorEnvelope"
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
FORMATS = {"date-time": "datetime", "uuid": "UUID", "date": "date", "binary": "bytes"}
MODULE_LINES_MAX = 360  # a module has 400 at most, and its head stands above
TEXT_COLUMNS = 86  # what is left of a line of 100 inside a method, without its quotes


def name_of(text: str) -> str:
    """A word of the API as a name of Python."""
    name = re.sub(r"\W+", "_", text).strip("_")
    return f"{name}_" if keyword.iskeyword(name) else name


def text_of(text: str) -> str:
    """A description as it stands in a docstring, its paragraphs wrapped."""
    paragraphs = [" ".join(part.split()) for part in text.strip().split("\n\n")]
    wrapped = [textwrap.fill(one, TEXT_COLUMNS, break_on_hyphens=False) for one in paragraphs]
    return "\n\n".join(wrapped).replace("\\", "\\\\").replace('"""', "'''")


def docstring(text: str, indent: str) -> list[str]:
    """The lines of a docstring."""
    told = text_of(text)
    quoted = f'"""{told}\n"""' if "\n" in told else f'"""{told}"""'
    return [f"{indent}{line}" if line else "" for line in quoted.split("\n")]


class Shapes:
    """The components of a document, under the names that the client gives them."""

    def __init__(self, document: Shape) -> None:
        self.components: Mapping[str, Shape] = document["components"]["schemas"]
        pages = {name for name, one in self.components.items() if self.rows_of(one)}
        short = {name: re.sub(r"Out$", "", re.sub(r"\W", "", name)) for name in self.components}
        shown = [short[name] for name in self.components if name not in pages]
        self.names = {
            name: short[name] if shown.count(short[name]) == 1 else re.sub(r"\W", "", name)
            for name in self.components
        }

    def resolved(self, shape: Shape) -> Shape:
        """The shape itself, or the component that it names."""
        return self.components[self.component(shape)] if "$ref" in shape else shape

    def component(self, shape: Shape) -> str:
        """The name of the component that a reference means."""
        return str(shape["$ref"]).removeprefix(REF)

    def rows_of(self, shape: Shape) -> tuple[str, Shape] | None:
        """The field that holds the rows, and what they are, where the shape is a page of a list."""
        fields = shape.get("properties", {})
        lists = [name for name, one in fields.items() if one.get("type") == "array"]
        if set(fields) != {"next", *lists} or len(lists) != 1:
            return None
        return lists[0], fields[lists[0]]["items"]

    def type_of(self, shape: Shape, *, is_argument: bool = False) -> str:
        """The Python type; of an answer a wide one, so that a newer API may say more words."""
        if "$ref" in shape:
            found = self.components[self.component(shape)]
            if "properties" in found:
                return self.names[self.component(shape)]
            return self.type_of(found, is_argument=is_argument)
        for several in ("anyOf", "oneOf", "allOf"):
            if several in shape:
                return _either(self.type_of(one, is_argument=is_argument) for one in shape[several])
        if isinstance(shape.get("type"), list):
            kinds = [{**shape, "type": one} for one in shape["type"]]
            return _either(self.type_of(one, is_argument=is_argument) for one in kinds)
        if is_argument and ("enum" in shape or "const" in shape):
            return f"Literal[{', '.join(map(repr, shape.get('enum', [shape.get('const')])))}]"
        return self._plain(shape, is_argument=is_argument)

    def _plain(self, shape: Shape, *, is_argument: bool) -> str:
        kind = str(shape.get("type"))
        if kind == "array":
            one = self.type_of(shape.get("items", {}), is_argument=is_argument)
            return f"Sequence[{one}]" if is_argument else f"tuple[{one}, ...]"
        if kind == "object":
            more = shape.get("additionalProperties")
            one = self.type_of(more, is_argument=is_argument) if isinstance(more, dict) else "Any"
            return f"Mapping[str, {one}]"
        if kind == "string":
            return FORMATS.get(shape.get("format", ""), "str")
        return PLAIN.get(kind, "Any")

    def used_by(self, shape: Any) -> set[str]:
        """The components that a part of the document leads to, directly and through others."""
        found: set[str] = set()
        open_ones = [shape]
        while open_ones:
            part = open_ones.pop()
            if isinstance(part, Mapping):
                open_ones += part.values()
                if isinstance(part.get("$ref"), str) and self.component(part) not in found:
                    found.add(self.component(part))
                    open_ones.append(self.components[self.component(part)])
            elif isinstance(part, list):
                open_ones += part
        return found

    def in_order(self, names: Iterable[str]) -> Iterator[str]:
        """These components, each behind those that it is made of."""
        wanted, seen = set(names), set[str]()
        for name in self.components:
            for one in (*self._below(name, seen), name):
                if one in wanted and one not in seen:
                    yield one
                seen.add(one)

    def _below(self, name: str, seen: set[str]) -> list[str]:
        found: list[str] = []
        for one in sorted(self.used_by(self.components[name]) - {name} - seen):
            found += [*self._below(one, seen | {name} | set(found)), one]
        return list(dict.fromkeys(found))

    def model(self, name: str) -> list[str]:
        """The class of one component."""
        shape = self.components[name]
        needed = shape.get("required", [])
        said = shape.get("description") or f"What the API calls {self.names[name]}."
        lines = [f"class {self.names[name]}(Answer):", *docstring(said, "    "), ""]
        for field, one in shape["properties"].items():
            kind, called = self.type_of(one), field_name(field)
            alias = "" if called == field else f'alias="{field}"'
            if field not in needed:
                kind = (
                    kind if kind in ("Any", "None") or kind.endswith("| None") else f"{kind} | None"
                )
                alias = f" = Field(default=None, {alias})" if alias else " = None"
            elif alias:
                alias = f" = Field({alias})"
            lines.append(f"    {called}: {kind}{alias}")
            lines += docstring(_about(one), "    ") if _about(one) else []
        return [*lines, "", ""]


def field_name(field: str) -> str:
    """The attribute that holds a field; with a `_` behind it where models have one of that name."""
    name = name_of(field)
    return f"{name}_" if hasattr(BaseModel, name) or name in vars(builtins) else name


def _either(kinds: Iterable[str]) -> str:
    found = list(dict.fromkeys(kinds))
    if "Any" in found:
        return "Any"
    return " | ".join([*(one for one in found if one != "None"), *(["None"] * ("None" in found))])


def _about(shape: Shape) -> str:
    said = str(shape.get("description", ""))
    words = shape.get("enum") or next(
        (one["enum"] for one in shape.get("anyOf", []) if "enum" in one), None
    )
    if words:
        told = f"one of {', '.join(map(str, words))}"
        return f"{said}; {told}" if said else told
    return said
