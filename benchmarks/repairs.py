"""Lost source events out of a seed: whether each is noticed and brought, and who cries wolf.

`python -m benchmarks.repairs` plays 1,000 subjects, prints what came of it and writes it into
docs/watchtower.md. Some minutes. `--seed N` plays another seed and writes nothing.

Half of the subjects are samples, whose two promised files are put into a store that sends a message
for each; half are runs of three tasks, whose notes and traces lie on disk and whose launcher can be
asked. One event of ten that would end a wait is lost on its way. Nothing else is: what takes long
takes long because lengths have a heavy tail. Tower, rules, decider, clock and porches are those of
the product, on a log in memory; time is simulated, and the store is away for an hour of each day.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from benchmarks.repairs_lab import Lab, Lost
from benchmarks.repairs_subjects import subject
from genoflow.events.alert_raised import AlertRaised
from genoflow.events.repair_tried import RepairTried
from genoflow.processors.intake.looks import PAUSE
from genoflow.processors.repair_sources import PAUSES
from tools.marks import between

PAGE = Path(__file__).resolve().parents[1] / "docs" / "watchtower.md"
BEGIN = "<!-- made by `python -m benchmarks.repairs` -->"
END = "<!-- end of what is made -->"
SUBJECTS = 1_000
SEED = 1
FALSE_SHARE_MAX = 0.01
# The tower looks each minute, and a source that is away is given up after 30 s.
SLACK = timedelta(minutes=2)
BOUND = sum(PAUSES, SLACK)


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one event that was lost."""

    lost: Lost
    alert: AlertRaised | None  # about the very wait that it would have ended
    came: timedelta | None  # so long behind that alert; none where it never came
    is_behind_tries: bool = False  # it was late besides, and lost when nobody asked any more


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of all of them."""

    subjects: int
    told: int  # source events that could be lost
    found: tuple[Found, ...]
    alerts: int
    false_subjects: frozenset[str]  # of which nothing was lost
    false_alerts: int  # about waits whose end was only late
    tries: tuple[RepairTried, ...]
    crawls: int
    hours: float
    strangers: int  # facts that a repair brought, and nobody had lost
    open_alerts: int

    @property
    def own(self) -> list[Found]:
        """Those that an alert of their own noticed."""
        return [one for one in self.found if one.alert is not None]

    @property
    def unnoticed(self) -> list[Found]:
        """Those that neither an alert noticed nor the repair of another brought."""
        return [one for one in self.found if one.alert is None and one.came is None]

    @property
    def late(self) -> list[Found]:
        """Those that did not come within the bound, though they were there to be found."""
        there = (one for one in self.found if not one.is_behind_tries)
        return [one for one in there if one.came is None or one.came > BOUND]

    @property
    def false_share(self) -> float:
        """Which share of all subjects was alerted of though nothing of theirs was lost."""
        return len(self.false_subjects) / self.subjects


async def played(seed: int, subjects: int, folder: Path) -> Outcome:
    """Play it, and compare what was lost with what was noticed and what came."""
    async with Lab(seed, subjects, folder, story=subject) as lab:
        await lab.play()
        return outcome_of(lab)


def outcome_of(lab: Lab) -> Outcome:
    """What the lab's log says of what it lost."""
    raised = [(one, at) for one, at in lab.alerts.values() if isinstance(one, AlertRaised)]
    alerts = [one for one, _ in raised]
    by_wait = {(one.subject_key, one.stage, one.item): (one, at) for one, at in raised}
    found = []
    for lost in lab.lost.values():
        alert, raised_at = by_wait.get((lost.subject, lost.stage, lost.item), (None, None))
        came_at = lab.on_log.get(lost.event_id)
        # What the repair of another brought was there before it was missed.
        behind = timedelta() if came_at is None or raised_at is None else came_at - raised_at
        came = None if came_at is None else max(timedelta(), behind)
        is_behind = raised_at is not None and lost.at > raised_at + sum(PAUSES, timedelta())
        found.append(Found(lost, alert, came, is_behind))
    losers = {one.subject for one in lab.lost.values()}
    lost_waits = {(one.subject, one.stage, one.item) for one in lab.lost.values()}
    tries = [one for one in lab.said if isinstance(one, RepairTried)]
    return Outcome(
        subjects=lab.subjects,
        told=lab.told,
        found=tuple(found),
        alerts=len(alerts),
        false_subjects=frozenset(
            one.subject_key for one in alerts if one.subject_key and one.subject_key not in losers
        ),
        false_alerts=sum(wait not in lost_waits for wait in by_wait),
        tries=tuple(tries),
        crawls=lab.crawls,
        hours=lab.hours,
        strangers=len(lab.brought - lab.lost.keys()),
        open_alerts=len(alerts) - lab.resolved,
    )


def page(seed: int, found: Outcome) -> str:
    """What stands between the two marks of the page."""
    waited = [one for one in found.own if not one.is_behind_tries]
    own = [one.came for one in waited if one.came is not None]
    worst = max(own, default=timedelta())
    within = sum(one <= SLACK for one in own)
    rows = {
        "subjects": f"{found.subjects:,} (half samples of two files, half runs of three tasks)",
        "source events that end a wait": f"{found.told:,}",
        "lost on their way": f"{len(found.found):,}",
        "noticed by an alert of their own": f"{len(found.own):,}",
        "brought before that, by the repair of another": f"{len(found.found) - len(found.own):,}",
        "neither": f"{len(found.unnoticed):,}",
        "brought under the ids that they would have had": (
            f"{sum(one.came is not None for one in found.found):,}"
        ),
        "late besides, and lost behind the last try of their alert": (
            f"{sum(one.is_behind_tries for one in found.found):,}"
        ),
        "so long behind their alert": (
            f"{within:,} within {SLACK.seconds // 60} min, the last after {_hours(worst)} "
            f"(bound: {_hours(BOUND)})"
        ),
        "facts brought that were not lost": f"{found.strangers:,}",
        "tries, and crawls of the bucket": (
            f"{len(found.tries):,}, and {found.crawls:,} in {found.hours:,.0f} h "
            f"(at most {60 // (PAUSE.seconds // 60)} an hour)"
        ),
        "alerts in all": f"{found.alerts:,}, of which {found.open_alerts:,} are open at the end",
        "about a wait whose end was only late": f"{found.false_alerts:,}",
        "subjects alerted of though nothing of theirs was lost": (
            f"{len(found.false_subjects):,}, **{found.false_share:.1%}**"
        ),
    }
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    return "\n".join([
        BEGIN, "", f"Seed {seed}:", "", "| what | how many |", "|---|---|", *lines, "", END,
    ])  # fmt: skip


def _hours(length: timedelta) -> str:
    minutes = round(length.total_seconds() / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"


def refuse(found: Outcome) -> None:
    """AssertionError where one was not noticed, did not come in time, or too many cried wolf."""
    assert found.found, "nothing was lost"
    assert not found.unnoticed, found.unnoticed
    assert not found.late, found.late
    assert found.strangers == 0, "a repair brought what stood on the log"
    assert found.false_share <= FALSE_SHARE_MAX, sorted(found.false_subjects)


def main() -> None:
    """Play all, print it, and write it into the page."""
    parser = argparse.ArgumentParser(prog="benchmarks.repairs")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--subjects", type=int, default=SUBJECTS)
    given = parser.parse_args()
    seed = SEED if given.seed is None else given.seed
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(played(seed, given.subjects, Path(folder)))
    made = page(seed, found)
    print(made)
    refuse(found)
    if given.seed is None and given.subjects == SUBJECTS:
        PAGE.write_text(
            between(PAGE.read_text(encoding="utf-8"), PAGE, BEGIN, END, made), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
