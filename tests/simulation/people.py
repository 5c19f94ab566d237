"""Those outside who append: a porch that reports files, often twice, and a person who decides."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

from genoflow.events import topics
from genoflow.events.envelope import Actor, Producer
from genoflow.events.errors import MalformedEvent, OutcomeUnknown
from genoflow.events.event import Event, begin
from genoflow.events.event_discarded import EventDiscarded
from genoflow.events.event_parked import EventParked
from genoflow.events.event_requeued import EventRequeued
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.recorded import Raw
from tests.fakes import BEGINNING
from tests.simulation.flow import POISON
from tests.simulation.world import BUCKET, CODEC, PARTITIONS, World

PORCH = Producer(service="porch", version="1")
PERSON = Producer(service="person", version="1")
ROLES = ("R1", "R1", "R2", "R2", "BAM", "I1", "OTHER")
TRIES_AS_IT_WAS_MAX = 2  # a person who has seen it fail twice does something else
LOOK_SECONDS = 1.5  # how often the person looks


async def append(world: World, event: Event) -> None:
    """Append until the log says yes: an answer that was lost means another copy, of one id."""
    while True:
        try:
            await world.log.append(event)
        except OutcomeUnknown:
            continue
        return


class Porch:
    """Reports the files of a few samples: in order per sample, in any order across them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._random = random.Random(f"porch {world.seed}")  # the same reports in every weather
        self._plan = self._reports()
        self.is_done = False

    def _file(self, sample: str, number: int) -> FileLanded:
        chance = self._random
        content = f"{sample} {number}".encode()
        head = self._world.store.keep(BUCKET, f"{sample}/{number}", content, {})
        fact = FileLanded(
            bucket=BUCKET,
            object_key=head.key,
            version_id=head.version_id,
            size_bytes=len(content) + (chance.random() < 0.2) * number,  # some contradict the store
            etag=POISON if chance.random() < 0.12 else head.etag,
            last_modified_at=BEGINNING,
            sample_id=sample,
            role=chance.choice(ROLES),
        )
        at = BEGINNING + timedelta(seconds=2 * number + chance.random())
        return begin(fact, occurred_at=at, actor=Actor(kind="service", id="porch"), by=PORCH)

    def _reports(self) -> list[Event | Raw]:
        """Every file once in its sample's order, some again later, and at times a bad record."""
        chance = self._random
        lines = {
            f"S{sample}": [
                self._file(f"S{sample}", number) for number in range(chance.randint(2, 5))
            ]
            for sample in range(chance.randint(2, 4))
        }
        mixed: list[Event | Raw] = []
        while lines:
            sample = chance.choice(sorted(lines))
            mixed.append(lines[sample].pop(0))
            if not lines[sample]:
                del lines[sample]
        for place in range(len(mixed) - 1, -1, -1):
            if chance.random() < 0.3:
                mixed.insert(chance.randint(place + 1, len(mixed)), mixed[place])
        if chance.random() < 0.2:
            mixed.insert(chance.randint(0, len(mixed)), self._damaged())
        return mixed

    def _damaged(self) -> Raw:
        if self._random.random() < 0.5:
            return Raw(b"S0", b"no event at all", (), 0)
        value, headers = CODEC.encode(self._file("S0", 99))
        return Raw(b"S0", value[:-1] + b"?", headers, 0)

    async def run(self) -> None:
        """Append all of it."""
        for report in self._plan:
            await asyncio.sleep(self._random.random() ** 2 * 3)
            if isinstance(report, Raw):
                partition = partition_of(report.key or b"", PARTITIONS)
                await self._world.log.append_raw(topics.SAMPLE.name, partition, [report])
            else:
                await append(self._world, report)
        self.is_done = True


class Person:
    """Answers to what is parked: edits, tries again, gives up, leaves it, and repeats orders."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._random = world.random
        self._tries: dict[tuple[str, int, int], int] = {}
        self._orders: list[Event] = []
        self._seen = [0] * PARTITIONS
        self._busy = 0

    @property
    def is_done(self) -> bool:
        """Whether everything that is parked was looked at."""
        return not self._busy and all(
            len(self._world.log.partition(topics.PARKED.name, number).records) == seen
            for number, seen in enumerate(self._seen)
        )

    async def run(self) -> None:
        """Look at what is parked, again and again."""
        while True:
            for number in range(PARTITIONS):
                records = self._world.log.partition(topics.PARKED.name, number).records
                for record in records[self._seen[number] :]:
                    self._seen[number] += 1
                    self._busy += 1
                    assert isinstance(record.event, EventParked)
                    asyncio.create_task(self._answer(record.event))  # noqa: RUF006 -- the loop keeps it
            await asyncio.sleep(LOOK_SECONDS)

    async def _answer(self, parked: EventParked) -> None:
        await asyncio.sleep(self._random.random() ** 2 * 10)
        answer = self._decided(parked)
        if answer is not None:
            self._orders.append(answer)
            await append(self._world, answer)
            while self._random.random() < 0.35:
                await asyncio.sleep(self._random.random() * 4)
                await append(self._world, self._random.choice([answer, *self._orders[-6:]]))
        self._busy -= 1

    def _decided(self, parked: EventParked) -> Event | None:
        chance = self._random.random()
        if parked.effect_id is not None:
            if chance < 0.15:
                return self._order(EventDiscarded, parked)
            if chance < 0.85:
                self._world.mend(parked.effect_id)
            return self._order(EventRequeued, parked)
        if chance < 0.08:
            self._world.say(f"the person leaves {parked.processor} {parked.offset} where it is")
            return None
        place = (parked.processor, parked.partition, parked.offset)
        tries = self._tries[place] = self._tries.get(place, 0) + 1
        value = self._edited(parked)
        if chance < 0.4 and tries <= TRIES_AS_IT_WAS_MAX:
            return self._order(EventRequeued, parked)
        if chance < 0.75 and value is not None:
            return self._order(EventRequeued, parked, value=value)
        return self._order(EventDiscarded, parked)

    def _edited(self, parked: EventParked) -> bytes | None:
        try:
            event = CODEC.decode(parked.value or b"")
        except MalformedEvent:
            return None
        assert isinstance(event, FileLanded)
        mended = event.model_copy(update={"etag": "mended"}).enveloped(event.envelope)
        return CODEC.encode(mended)[0]

    def _order(
        self, kind: type[EventRequeued | EventDiscarded], parked: EventParked, **more: bytes
    ) -> Event:
        fact = kind(
            subject_topic=parked.input_topic,
            subject_key=parked.subject_key,
            processor=parked.processor,
            partition=parked.partition,
            offset=parked.offset,
            effect_id=parked.effect_id,
            parked_event_id=parked.parked_event_id,
            request_id=f"order-{len(self._orders)}-{parked.envelope.event_id}",
            reason="simulated",
            **more,
        )
        self._world.say(f"the person orders {fact.type()} of {parked.processor} {parked.offset}")
        actor = Actor(kind="person", id="person")
        return begin(fact, occurred_at=self._world.clock.now(), actor=actor, by=PERSON)
