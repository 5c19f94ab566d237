"""The scenarios of AWS Batch: a run once only, whatever goes wrong between worker, Batch and host.

Each case is a trial in virtual time (tests/batch_trial.py): real rows, worker, launcher and job
over the double. A scenario draws its cases from its own seed, so any of them can be played again.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.batch_double import LostAnswer, throttled
from tests.batch_server import faults
from tests.batch_trial import BatchTrial, Played, Weather
from tests.trial import Ending

NAME = "batch"
CASES = 100
CASES_OF_PROCESSES = 50  # of the local launcher, whose jobs take real time
CASES_SMALL = 4
ANSWERS = ("submit_job done", "list_jobs done", "describe_jobs done", "terminate_job done")
REQUESTS = ("submit_job", "list_jobs", "describe_jobs")
STEPS = 360  # of a worker in a trial where nothing goes wrong: 352
STEPS_MOVED = 700  # of one whose run is moved meanwhile
STEPS_OF_JOB = 24
# The longer one is at work when a second job begins, which is at least 20 s behind the first.
PROGRAMS_SECONDS = (4.0, 90.0)
LAGS_SECONDS = (0.0, 5.0, 30.0, 120.0)  # lists are waited for 20 s: two of these outlast it

Case = tuple[Weather, list[Ending]]


def killed(chance: random.Random) -> Case:
    """The worker dies at a step, once or twice."""
    return Weather(), _deaths(chance, 1, 2)


def answers_lost(chance: random.Random) -> Case:
    """An answer of Batch does not come, that of SubmitJob in every other case."""
    name = ANSWERS[0] if chance.random() < 0.5 else chance.choice(ANSWERS)
    nth = 1 if name == ANSWERS[0] else chance.randint(1, 6)
    return Weather(fault=faults((name, nth, LostAnswer()))), []


def lists_late(chance: random.Random) -> Case:
    """A job is shown late, and the answer that named it was lost, or the worker died with it."""
    weather = Weather(
        lag_seconds=chance.choice(LAGS_SECONDS), step_seconds=chance.choice((0.5, 5.0, 40.0)),
        program_seconds=chance.choice(PROGRAMS_SECONDS),
        fault=faults(("submit_job done", 1, LostAnswer())),
    )  # fmt: skip
    return weather, _deaths(chance, 0, 1)


def repeated(chance: random.Random) -> Case:
    """The request comes two to four times, and the worker dies once."""
    return Weather(deliveries=chance.randint(2, 4)), _deaths(chance, 0, 1)


def reclaimed(chance: random.Random) -> Case:
    """Spot takes one to three hosts, at any step of the job on it."""
    taken = tuple(chance.randint(1, STEPS_OF_JOB) for _ in range(chance.randint(1, 3)))
    return Weather(taken_at=taken, step_seconds=chance.choice((0.5, 3.0))), _deaths(chance, 0, 1)


def refused(chance: random.Random) -> Case:
    """Batch asks for fewer requests, several times."""
    plan = [(name, nth, throttled(name)) for name in REQUESTS for nth in (1, chance.randint(2, 4))]
    return Weather(fault=faults(*plan)), []


def cancelled(chance: random.Random) -> Case:
    """Nobody wants the run any more, at any moment of it, and lists are late."""
    weather = Weather(
        cancelled_after=chance.random() * 15, lag_seconds=chance.choice(LAGS_SECONDS),
        fault=faults((chance.choice(ANSWERS), 1, LostAnswer())),
    )  # fmt: skip
    return weather, _deaths(chance, 0, 1)


def moved(chance: random.Random) -> Case:
    """Its priority is changed, once to three times, at any moment: hosts are few, lists late."""
    wishes = [
        (chance.random() * 20, chance.choice(("urgent", "low", "routine")))
        for _ in range(chance.randint(1, 3))
    ]
    weather = Weather(
        wishes=wishes, lag_seconds=chance.choice(LAGS_SECONDS),
        answer_seconds=chance.choice((0.0, 0.5)), step_seconds=chance.choice((1.0, 2.0, 40.0)),
        program_seconds=chance.choice(PROGRAMS_SECONDS),
        fault=faults((chance.choice(ANSWERS), chance.randint(1, 3), LostAnswer())),
    )  # fmt: skip
    return weather, _deaths(chance, 0, 2, steps=STEPS_MOVED)


def all_at_once(chance: random.Random) -> Case:
    """Several of them."""
    weather = Weather(
        step_seconds=chance.choice((0.5, 5.0)), lag_seconds=chance.choice(LAGS_SECONDS),
        taken_at=tuple(chance.randint(1, STEPS_OF_JOB) for _ in range(chance.randint(0, 2))),
        deliveries=chance.randint(1, 3), program_seconds=chance.choice(PROGRAMS_SECONDS),
        fault=faults(
            ("submit_job done", 1, LostAnswer()), (chance.choice(REQUESTS), 2, throttled("any")),
            (chance.choice(ANSWERS[1:]), chance.randint(1, 3), LostAnswer()),
        ),
    )  # fmt: skip
    return weather, _deaths(chance, 0, 3)


SCENARIOS: dict[str, Callable[[random.Random], Case]] = {
    "the worker is killed at a step": killed,
    "an answer of Batch is lost": answers_lost,
    "lists are late, and SubmitJob's answer is lost": lists_late,
    "the request is delivered again": repeated,
    "Spot takes the host, before and after the claim": reclaimed,
    "Batch refuses requests for their number": refused,
    "the run is cancelled at any moment": cancelled,
    "its priority is changed, and it waits in another queue": moved,
    "several of these": all_at_once,
}


def _deaths(chance: random.Random, least: int, most: int, *, steps: int = STEPS) -> list[Ending]:
    count = chance.randint(least, most)
    return [Ending("step", chance.randint(1, steps)) for _ in range(count)]


@dataclass
class Row:
    """What was found of one scenario."""

    scenario: str
    launcher: str = "awsbatch"
    cases: int = 0
    deaths: int = 0
    hosts_taken: int = 0
    submitted: int = 0  # jobs; more than cases where a list outlasted the wait
    programs_in_two_jobs: int = 0
    orphans_ended: int = 0
    broken: list[str] = field(default_factory=list)

    def take(self, seed: str, played: Played) -> None:
        """Count one case."""
        self.cases += 1
        self.deaths += played.tried.lives - 1
        self.hosts_taken += played.taken
        self.submitted += played.submitted
        self.orphans_ended += played.hosts_ended
        jobs = Counter(job_id for _, job_id, _ in played.programs)
        self.programs_in_two_jobs += len(jobs) > 1
        self.broken += [f"{seed}: {fault}" for fault in played.broken]

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return dict(vars(self))


def play(scenario: str, cases: int, seed: int) -> Row:
    """Play so many cases of a scenario."""
    row = Row(scenario)
    for number in range(cases):
        name = f"{seed}/{scenario}/{number}"
        weather, endings = SCENARIOS[scenario](random.Random(name))
        row.take(name, BatchTrial(weather, endings).play())
    return row


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The rows as a page shows them."""
    names = ("launcher", "scenario", "cases", "deaths", "hosts_taken", "submitted")
    head = " | ".join(
        ("launcher", "what goes wrong", "runs", "workers killed", "hosts taken", "jobs", "broken")
    )
    lines = [f"| {head} |", f"|---|---|{'---:|' * 5}"]
    return lines + [
        f"| {' | '.join(str(row[name]) for name in names)} | {len(row['broken'])} |" for row in rows
    ]
