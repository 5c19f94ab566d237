"""What a rule of retention lets go, and which rule of which document is in force for whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from genoflow.events.retention_published import RetentionPublished
from genoflow.events.retention_rule import RetentionRule
from genoflow.events.stored_version import StoredVersion

Key = tuple[str, str]  # topic and key of a subject
Rules = dict[str, tuple[RetentionPublished, RetentionRule]]  # by class of files


@dataclass(frozen=True, slots=True)
class Due:
    """A file that a rule lets go, and which rule of which document says so."""

    file: StoredVersion
    rule: RetentionRule
    document: RetentionPublished
    put_at: datetime | None = None  # where no event says since when it is there


def rules_for(assays: Sequence[str], documents: Sequence[RetentionPublished]) -> Rules:
    """The rule of each class of files and its document; of several assays, what keeps longest.

    A class that one of the assays has no rule for is kept for ever, and so is a file whose assay
    no document is for. Of several documents for one assay the last to come into force counts.
    """
    chosen = [_document_for(one, documents) for one in assays] or [_document_for("", documents)]
    rules: Rules = {}
    if any(one is None for one in chosen):
        return rules
    each = [
        {rule.file_class: (document, rule) for rule in document.rules}
        for document in chosen
        if document is not None
    ]
    for name in set.intersection(*({*one} for one in each)):
        rules[name] = max((one[name] for one in each), key=lambda pair: pair[1].keep_days)
    return rules


def _document_for(assay: str, documents: Sequence[RetentionPublished]) -> RetentionPublished | None:
    named = [one for one in documents if assay in one.assays]
    others = [one for one in documents if not one.assays]
    found = named or others
    return found[-1] if found else None
