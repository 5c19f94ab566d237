"""What goes in: a list of files that land, made from a seed alone.

Nothing here knows the product: the verdict makes the list anew from the seed and computes from it
what has to stand on the log.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

KEYS = 200
HOT_KEYS = 5  # a fifth of all events: queues form behind their parked events
HOT_SHARE = 0.2
REPEATED_SHARE = 0.05  # a porch reports a file twice
CASES = 50
BUCKET = "raw"
JOB_EVERY = 100  # every hundredth number of a sample is answered by a job, not by a call


@dataclass(frozen=True, slots=True)
class Landed:
    """One file of one sample, as it is reported; `again` marks a repetition."""

    sample: str
    number: int
    poisoned: bool = False
    again: bool = False

    @property
    def object_key(self) -> str:
        """Its key in the store."""
        return f"{self.sample}/{self.number}.fastq.gz"

    @property
    def is_job(self) -> bool:
        """Whether a job answers it."""
        return is_job(self.number)


def case_of(sample: str) -> str:
    """The case that a sample belongs to: the key behind the hop."""
    return f"C{int(sample[1:]) % CASES}"


def is_job(number: int) -> bool:
    """Whether this file is answered by a job."""
    return number % JOB_EVERY == JOB_EVERY // 4


def make(seed: int, events: int, poisoned: int) -> list[Landed]:
    """So many files over all samples, a few poisoned, a share of them reported again later."""
    chance = random.Random(seed)
    counts: dict[str, int] = {}
    found: list[Landed] = []
    # Poison only where a queue forms: in hot keys, in the first half.
    poison_at = set(chance.sample(range(events // 20, max(events // 2, 1)), poisoned))
    for index in range(events):
        hot = index in poison_at or chance.random() < HOT_SHARE
        sample = f"S{chance.randrange(HOT_KEYS) if hot else chance.randrange(HOT_KEYS, KEYS)}"
        counts[sample] = counts.get(sample, 0) + 1
        landed = Landed(sample, counts[sample], poisoned=index in poison_at)
        found.append(landed)
        if chance.random() < REPEATED_SHARE:
            before = chance.choice(found[-50:])
            if not before.poisoned:
                found.append(Landed(before.sample, before.number, again=True))
    return found


def write(path: Path, seed: int, rows: Iterable[Landed]) -> None:
    """Keep the list beside its seed, one row a line."""
    lines = [json.dumps({"seed": seed}), *(json.dumps(asdict(row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read(path: Path) -> tuple[int, list[Landed]]:
    """The seed and the list of a run."""
    first, *lines = path.read_text(encoding="utf-8").splitlines()
    return json.loads(first)["seed"], [Landed(**json.loads(line)) for line in lines]
