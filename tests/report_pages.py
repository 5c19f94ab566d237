"""Pages and files of reports, as somebody reads them who has neither a browser nor MultiQC."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

from jsonschema import Draft202012Validator

from genoflow.api.reports.page import page_of
from genoflow.api.reports.report import Report
from genoflow.processors.validation.port import Expected
from genoflow.processors.validation.telling import as_json
from tests.judged import report as validated

VOID = {"meta", "rect", "path", "circle", "line"}
# What MultiQC documents of its custom content, as far as these files use it.
LINES = {
    "type": "object", "minProperties": 1,
    "additionalProperties": {"anyOf": [
        {"type": "array", "items": {
            "type": "array", "prefixItems": [{"type": "number"}] * 2, "minItems": 2, "maxItems": 2,
        }},
        {"type": "object", "additionalProperties": {"type": "number"}},
    ]},
}  # fmt: skip
CELLS = {
    "type": "object", "minProperties": 1,
    "additionalProperties": {
        "type": "object", "additionalProperties": {"type": ["number", "string"]},
    },
}  # fmt: skip
SECTION = Draft202012Validator(
    {
        "type": "object",
        "additionalProperties": False,
        "required": ["id", "plot_type", "data"],
        "properties": {
            "id": {"pattern": "^genoflow_[a-z_]+$"},
            "plot_type": {"enum": ["linegraph", "bargraph", "table", "generalstats"]},
            "section_name": {"type": "string"},
            "description": {"type": "string"},
            "parent_id": {"const": "genoflow_qc"},
            "parent_name": {"type": "string"},
            "parent_description": {"type": "string"},
            "pconfig": {
                "required": ["id", "title"],
                "additionalProperties": False,
                "properties": {
                    name: {} for name in (
                        "id", "title", "xlab", "ylab", "ymin", "categories", "stacking",
                        "namespace", "col1_header", "no_violin",
                    )
                },
            },
            "headers": {"type": ["object", "array"]},
            "data": {"type": "object"},
        },
        "allOf": [
            {"if": {"properties": {"plot_type": {"const": "linegraph"}}},
             "then": {"properties": {"data": LINES}}, "else": {"properties": {"data": CELLS}}},
            {"if": {"properties": {"plot_type": {"const": "generalstats"}}},
             "then": {"properties": {"headers": {"type": "array"}}},
             "else": {"required": ["pconfig", "section_name", "parent_id"]}},
        ],
    }
)  # fmt: skip


class Page(HTMLParser):
    """A page that was read: its words, its elements, and what is wrong with its form."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[str] = []
        self.words = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), attrs
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self.words += data
        if {"td", "th"} & set(self.open):
            self.cells[-1] += data

    def row(self, name: str) -> list[str]:
        """The cells that follow the first one with this name."""
        at = self.cells.index(name)
        return self.cells[at + 1 : at + 8]

    def check(self) -> None:
        """It has no script, asks nothing of anybody, and every link leads to a place in it."""
        tags = {tag for tag, _ in self.seen}
        assert not tags & {"script", "link", "img", "iframe", "object", "form", "base", "image"}
        ids = [some["id"] for _, some in self.seen if "id" in some]
        assert len(ids) == len(set(ids))
        for tag, some in self.seen:
            assert not any(name.startswith("on") or name == "style" for name in some), (tag, some)
            assert not {"src", "srcset", "xlink:href", "action"} & set(some)
            if "href" in some:
                assert str(some["href"])[1:] in ids
            if tag == "svg":
                assert "aria-hidden" in some or some["role"] == "img"
                assert "aria-hidden" in some or {"aria-label", "aria-labelledby"} & set(some)
            for name in ("aria-labelledby",):
                assert set(str(some.get(name) or "").split()) <= set(ids)


def page(report: Report) -> Page:
    """The page of this report, as somebody who has no browser reads it."""
    written = page_of(report)
    assert "url(" not in written
    assert "@import" not in written
    assert not re.search(r"https?:|=.?//", written)
    read = Page(written)
    read.check()
    return read


def told(body: bytes, name: str = "S7.fastq", **expected: Any) -> dict[str, Any]:
    """What `genoflow validate --json` tells of it."""
    found = as_json(name, validated([body], Expected(**expected)), strict=False)
    return dict(json.loads(json.dumps(found)))
