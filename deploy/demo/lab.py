"""What a play is made of: its cast on run folders, its papers, and ids that no play had before."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeGuard

from genoflow.deploy.generate.cast import DEPTH, Cast
from genoflow.deploy.generate.simulation import (
    CATALOG,
    DAMAGED,
    ORDERS,
    Wish,
    Written,
    simulate,
)
from genoflow.events import topics
from genoflow.events.alert_raised import AlertRaised
from genoflow.events.event import Event
from genoflow.events.log.port import EventLog
from genoflow.events.sequencing_run_started import SequencingRunStarted

RULES = "alert-rules.json"
RULES_ID = "alerts-of-demo"
# Of the rules that come with the package, those about what happens in this play.
PLAYED_RULES = ("rejected-files", "failed-qc")
PLAYED = re.compile(r"DEMO-(\d+)-")


@dataclass(frozen=True, slots=True)
class Play:
    """One performance: its own ids, and the folder in which its material stands."""

    prefix: str
    folder: Path
    written: Written

    @property
    def cast(self) -> Cast:
        """Who plays, and the truth about each."""
        return self.written.cast

    @property
    def runs(self) -> tuple[str, str]:
        """The two runs of the instruments: all, and what tops C up."""
        return self.cast.run.run_id, self.cast.top_up.run_id

    @property
    def cases(self) -> dict[str, tuple[str, ...]]:
        """Each order with its samples."""
        found: dict[str, tuple[str, ...]] = {}
        for one in self.cast.members:
            found[one.case_id] = (*found.get(one.case_id, ()), one.sample_id)
        return found

    @property
    def whole_cases(self) -> set[str]:
        """The orders of which every sample has reads."""
        has_reads = {one.sample_id for one in self.cast.run.libraries if one.pairs}
        return {case_id for case_id, samples in self.cases.items() if has_reads >= {*samples}}

    def sample(self, letter: str) -> str:
        """The id of one of the cast."""
        return f"{self.prefix}-{letter}"

    def owns(self, key: str | None) -> bool:
        """Whether this is a sample or a case of the play."""
        return (key or "").startswith(f"{self.prefix}-")

    def is_alerted(self, event: Event) -> TypeGuard[AlertRaised]:
        """Whether an alert is about it, by the rules of plays and not by those of the lab."""
        return (
            isinstance(event, AlertRaised)
            and event.rules_document_id == RULES_ID
            and self.owns(event.subject_key)
        )

    def case_of(self, sample: str) -> str:
        """The order that names the sample."""
        return next(one.case_id for one in self.cast.members if one.sample_id == sample)

    def sent(self, *, damaged: bool) -> tuple[str, ...]:
        """How B's files are sent: at first with what the courier damaged, then whole."""
        files = []
        for option, path in zip(("--r1", "--r2"), self.written.courier, strict=True):
            first = self.folder / DAMAGED / path.name
            files += [option, str(first if damaged and first.is_file() else path)]
        return ("reads", "send", self.sample("B"), *files)


async def next_numbers(log: EventLog) -> tuple[int, int]:
    """The number of the next play, and that of its first run: higher than any on the log."""
    plays = runs = 0
    async for record in log.read_topic(topics.CASE.name):
        if found := PLAYED.match(record.key):
            plays = max(plays, int(found[1]))
    async for record in log.read_topic(topics.SEQUENCING_RUN.name):
        if record.type == SequencingRunStarted.type():
            started = record.event
            assert isinstance(started, SequencingRunStarted)
            runs = max(runs, started.run_number or 0)
    return plays + 1, runs + 1


def prepare(parent: Path, play: int, first_run: int, depth: float = DEPTH) -> Play:
    """Write the material of a play below this folder."""
    prefix = f"DEMO-{play:03d}"
    folder = parent / f"{prefix}-{first_run}"
    number = 0
    while folder.exists():  # of a play that was interrupted before anything of it was on the log
        number += 1
        folder = parent / f"{prefix}-{first_run}.{number}"
    written = simulate(folder, Wish(depth=depth, prefix=prefix, first_run=first_run))
    for name, rename in ((CATALOG, _own_document), (ORDERS, _own_order)):
        path = folder / name
        documents = json.loads(path.read_bytes())
        for one in documents:
            rename(one, prefix.lower())
        path.write_text(json.dumps(documents, indent=2) + "\n", encoding="utf-8")
    (folder / RULES).write_text(json.dumps(_rules(), indent=2) + "\n", encoding="utf-8")
    return Play(prefix, folder, written)


# Documents of a play have names of its own: what is published already never changes, and what
# somebody published for an assay of theirs stays in force.


def _own_document(document: dict[str, Any], play: str) -> None:
    document["document_id"] += f"-{play}"
    if "assays" in document:
        document["assays"] = [f"{assay}-{play}" for assay in document["assays"]]


def _rules() -> dict[str, Any]:
    """The same document for every play: two of them would say each alert twice."""
    text = files("genoflow.deploy.profiles").joinpath("alerts.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    document["document_id"] = RULES_ID
    document["title"] = "What a person has to do in the demonstration"
    document["rules"] = [
        # Under a name of its own: an alert of one rule and one fact is one, of any document.
        {**one, "rule": f"demo-{one['rule']}"}
        for one in document["rules"]
        if one["rule"] in PLAYED_RULES
    ]
    return document


def _own_order(order: dict[str, Any], play: str) -> None:
    order["assay"] += f"-{play}"
    order["reference"] += f"-{play}"
