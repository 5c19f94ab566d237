"""Whether a profile takes files that break a must of their specification, and what is said then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from genoflow.events.file_violations import FileViolations
from genoflow.events.measured import Measured
from genoflow.events.types import TEXT_CHARACTERS_MAX
from genoflow.processors.qc_metrics import in_words
from genoflow.processors.sample_reads import WholeFile

STANDARD, STRICT = "standard", "strict"
METRIC = UNIT = "violations"
NAMED_MAX = 5  # files in one sentence, the worst first; the request holds them all


def violating_of(files: Iterable[WholeFile]) -> tuple[FileViolations, ...]:
    """Those of these files that break a must."""
    return tuple(
        FileViolations(**{name: getattr(one, name) for name in FileViolations.model_fields})
        for one in files
        if one.violations
    )


def counted(validation: str, total: int) -> tuple[Measured, ...]:
    """The violations of all files beside their limit where the profile is strict; else nothing."""
    if validation != STRICT:
        return ()
    verdict = "fail" if total else "pass"
    return (
        Measured(metric=METRIC, value=float(total), unit=UNIT, required_max=0.0, verdict=verdict),
    )


def total_of(violating: Iterable[FileViolations]) -> int:
    """How many violations there are in all of these files."""
    return sum(one.violations for one in violating)


def not_taken(
    profile: str,
    version: str,
    violating: Sequence[FileViolations],
    failures: Iterable[Measured],
    way_on: str,
) -> str:
    """Which files are not taken and with how many violations, what else failed, and the way on."""
    worst = sorted(violating, key=lambda one: (-one.violations, one.object_key))
    places = [f"s3://{one.bucket}/{one.object_key} ({one.violations:,})" for one in worst]
    more = f" and {len(places) - NAMED_MAX:,} more files" * (len(places) > NAMED_MAX)
    named = f"{profile} {version}".strip()
    said = (
        f"the profile {named} takes no file that breaks a must of its specification, and these "
        f"do, with their violations: {', '.join(places[:NAMED_MAX])}{more}"
    )
    others = [one for one in failures if one.metric != METRIC]
    room = TEXT_CHARACTERS_MAX - len(way_on) - 3
    if others:
        said = f"{said}; {in_words(others, '')}".rstrip(". ")
    return f"{said[:room]}. {way_on}"
