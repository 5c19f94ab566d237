"""All rules of SAM and BAM, in the order in which a file is read."""

from __future__ import annotations

from genoflow.processors.validation.rules import Rule
from genoflow.processors.validation.sam import (
    rules_alignment,
    rules_bam,
    rules_header,
    rules_tags,
)

RULES: tuple[Rule, ...] = (
    *rules_header.RULES,
    *rules_alignment.RULES,
    *rules_tags.RULES,
    *rules_bam.RULES,
)
