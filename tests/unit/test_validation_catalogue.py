"""Every rule: a code of its own, words for all that is asked of it, and a row of the page."""

from __future__ import annotations

import re

import pytest

from genoflow.events.file_rejected import FileRejected
from genoflow.events.types import Choices
from genoflow.processors.validation.catalogue import CHAPTERS, RULES, Chapter
from genoflow.processors.validation.rules import Rule
from tools.validation_page import PAGE, page

every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
CODE_CHARACTERS_MAX = 60


def kinds() -> tuple[str, ...]:
    """What FileRejected may say."""
    marks = FileRejected.model_fields["reason_code"].metadata
    return next(mark.allowed for mark in marks if isinstance(mark, Choices))


@every_rule
def test_a_rule_says_all_that_is_asked_of_it(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)+", rule.code)
    assert len(rule.code) <= CODE_CHARACTERS_MAX
    for words in (rule.asks, rule.remedy):
        assert words.strip() == words != ""
    assert rule.example or rule.code.endswith("-empty")  # the text without a letter
    assert rule.kind in kinds()


def test_no_two_rules_share_a_code() -> None:
    codes = [rule.code for rule in RULES]
    assert sorted(set(codes)) == sorted(codes)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.title)
def test_a_code_begins_with_a_prefix_of_its_chapter_alone(chapter: Chapter) -> None:
    others = [prefix for one in CHAPTERS if one is not chapter for prefix in one.prefixes]
    for rule in chapter.rules:
        assert rule.code.startswith(chapter.prefixes), rule.code
        assert not any(rule.code.startswith(prefix) for prefix in others), rule.code
    assert chapter.about


def test_every_kind_of_fault_has_a_rule() -> None:
    assert {rule.kind for rule in RULES} == set(kinds())


def test_the_page_is_what_the_rules_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tools.validation_page`"


def test_every_rule_has_its_row_on_the_page() -> None:
    text = page()
    for rule in RULES:
        [row] = [line for line in text.splitlines() if line.startswith(f"| `{rule.code}` |")]
        cells = re.split(r"(?<!\\)\|", row.strip("|"))
        assert len(cells) == 6, row
        assert all(cell.strip() for cell in cells), row
