"""How a page is read: its headings, links, code spans, code blocks and the commands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from tests.tidy.source import files, text_of

FENCE = re.compile(
    r"^(?P<fence>```+)[^\n]*\n(?P<body>.*?)^(?P=fence)[ ]*$", re.DOTALL | re.MULTILINE
)
SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?)(?: +#+)?$", re.MULTILINE)
PLACEHOLDER = re.compile(r"[A-Z][A-Z0-9_]*|[<\[{…].*|…|\.\.\.|-|\S*…")


@dataclass(frozen=True)
class Line:
    """A command line in a page, as words; `alternatives` are last words to try in its place."""

    page: str
    words: tuple[str, ...]
    alternatives: tuple[str, ...] = ()


def pages() -> tuple[str, ...]:
    """Every page of the project."""
    return tuple(name for name in files() if name.endswith(".md"))


def prose_of(text: str) -> str:
    """The page without its code blocks."""
    return FENCE.sub("", text)


def anchors_of(text: str) -> set[str]:
    """The names under which its headings can be linked, as GitHub makes them."""
    found: set[str] = set()
    for heading in HEADING.findall(prose_of(text)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        count = 0
        while (name := f"{slug}-{count}" if count else slug) in found:
            count += 1
        found.add(name)
    return found


def links_of(text: str) -> list[str]:
    """The targets of its links that lie inside the project."""
    found = LINK.findall(SPAN.sub("", prose_of(text)))
    return [target for target in found if not re.match(r"[a-z][a-z+.-]*:", target)]


def spans_of(text: str) -> list[str]:
    """Its code spans, each on one line."""
    return [" ".join(span.split()) for span in SPAN.findall(prose_of(text))]


def lines_of(page: str, program: str, text: str | None = None) -> list[Line]:
    """Every command line of a program that a page shows, in prose or in a block."""
    text = text_of(page) if text is None else text
    return [*_lines_of_prose(page, program, text), *_lines_of_blocks(page, program, text)]


def _lines_of_prose(page: str, program: str, text: str) -> Iterator[Line]:
    prose = " ".join(prose_of(text).split())
    # `genoflow topics apply`, `check`: the next spans stand for the last word.
    for first, rest in re.findall(r"(?<!`)`([^`]+)`((?:, `[a-z][a-z-]*`)*)", prose):
        words = _words(first.split(" | ")[0], program)
        if words:
            siblings = (*first.split(" | ")[1:], *SPAN.findall(rest))
            yield Line(page, words, tuple(word.split()[0] for word in siblings))


def _lines_of_blocks(page: str, program: str, text: str) -> Iterator[Line]:
    for match in FENCE.finditer(text):
        for row in match["body"].splitlines():
            words = _words(row.removeprefix("$ ").split(" | ")[0], program)
            if words:
                yield Line(page, words)


def _words(row: str, program: str) -> tuple[str, ...]:
    if not re.match(rf"(?:\.venv/bin/)?{program} ", row.lstrip()):
        return ()
    return tuple(shlex.split(row, comments=True)[1:])


def is_placeholder(word: str) -> bool:
    """Whether a word stands for something that the reader puts in."""
    return PLACEHOLDER.fullmatch(word) is not None
