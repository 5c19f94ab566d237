"""One worker of the whole flow, which dies or stops where it is told to.

    python -m tests.faults.flow_worker --kafka ADDRESS --prefix P. --room DIR …

Which cohort it works for, and where the outside is, stands in the room.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from genoflow.processors.flow import PROCESSORS
from tests.faults.far import Clock, Far, FarHooks, FarLauncher, FarMail, FarStore
from tests.faults.worker_main import Orders, main, work_at
from tests.whole.cohort import Cohort, make
from tests.whole.compute import InPlace, computing
from tests.whole.outside import ports_of


@dataclass(frozen=True, slots=True)
class Play:
    """What every worker of a run has to know."""

    seed: int
    samples: int
    per_run: int
    port: int

    @property
    def cohort(self) -> Cohort:
        """The cohort that is played."""
        return make(self.seed, self.samples, self.per_run)

    def write(self, room: Path) -> None:
        """Leave it where workers look."""
        (room / "play.json").write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, room: Path) -> Play:
        """What was left there."""
        return cls(**json.loads((room / "play.json").read_text(encoding="utf-8")))


async def work(options: argparse.Namespace) -> None:
    """Work at every row of the flow until SIGTERM."""
    play = Play.read(options.room)
    cohort, far = play.cohort, Far(play.port)
    ports = ports_of(
        cohort, Clock(), FarStore(far), FarLauncher(far), FarMail(far), FarHooks(far)
    )  # fmt: skip
    later = options.state_version - 1  # a release that folds its states anew
    rows = [
        replace(row, state_version=row.state_version + later)
        for row in computing(PROCESSORS.values(), cohort)
    ]
    await work_at(options, Orders(options.room), rows, ports, InPlace(cohort))


if __name__ == "__main__":
    sys.exit(main(work))
