"""Every rule that a file is held to, by the chapters of docs/validation.md."""

from __future__ import annotations

from typing import NamedTuple

from genoflow.processors.validation import house
from genoflow.processors.validation.rules import Rule


class Chapter(NamedTuple):
    """The rules of one kind of file; each code begins with one of its prefixes."""

    title: str
    prefixes: tuple[str, ...]
    about: str
    rules: tuple[Rule, ...]
    has_text: bool = False  # its examples are the text itself, and not words about bytes


CHAPTERS = (
    Chapter(
        "Any file", ("file-", "validator-"),
        "What is asked of every file, by the house: no specification speaks of it.",
        house.RULES,
    ),
)  # fmt: skip

RULES: tuple[Rule, ...] = tuple(rule for chapter in CHAPTERS for rule in chapter.rules)
