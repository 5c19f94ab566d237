"""What the changelogs say, read from outside by whoever wants to know whether all is at rest."""

from __future__ import annotations

from genoflow.events.log.changelog import Folding
from genoflow.processors.ledger import Ledger, read_ledger
from genoflow.processors.processor import Processor, Timer
from tests.simulation.world import PARTITIONS, World


class Ledgers:
    """The changelogs of all tasks of a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def of(self, row: Processor, number: int) -> tuple[Ledger, int | None]:
        """One task's changelog, and its position."""
        name = row.changelog.name
        folding = Folding(f"{name}[{number}]")
        records = self._world.log.partition(name, number).records
        folding.take([(record.key_bytes or b"", record.value) for record in records])
        restored = folding.restored()
        return read_ledger(name, restored.state), restored.position

    def unrest(self) -> str:
        """What is still to be done, timers aside; empty where nothing is."""
        for row in self._world.rows():
            timers = {effect.name for effect in row.effects if isinstance(effect, Timer)}
            for number in range(PARTITIONS):
                end = self._world.log.partition(row.reads.name, number).end
                ledger, position = self.of(row, number)
                if end and position != end:
                    return f"{row.name}[{number}] is at {position} of {end}"
                for effect in ledger.effects.values():
                    if effect.name not in timers:
                        state = "parked" if effect.parked else "open"
                        return f"{row.name}[{number}] effect {effect.name} is {state}"
        return ""

    def timers_wait(self) -> bool:
        """Whether a deadline is still to pass."""
        return any(
            self.of(row, number)[0].effects
            for row in self._world.rows()
            for number in range(PARTITIONS)
        )
