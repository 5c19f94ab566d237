"""The porch of the object store: whatever a message, or a crawl, points at is looked up and told.

A message is not believed: it may come twice, late, out of order, or never. It says where to look,
and the store's own list of versions says what came, what went, and in which order. So a version
whose message was lost is told when the next message of its object comes, and a crawl, which looks
everywhere, arrives at the same facts with the same ids.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from genoflow.events.envelope import Actor, Producer
from genoflow.events.errors import Refused
from genoflow.events.event import Event, begin
from genoflow.events.file_deleted import ERASED, HIDDEN, FileDeleted
from genoflow.events.file_restored import FileRestored
from genoflow.events.file_tier_changed import FileTierChanged
from genoflow.events.log.port import EventLog
from genoflow.events.notice_parked import NoticeParked
from genoflow.processors.intake.heard import STANDARD, Kept, Message, Shelf, Shelves
from genoflow.processors.intake.known_files import KnownFiles, Landing
from genoflow.processors.intake.landing import landed
from genoflow.processors.intake.notices import Notice, NotUnderstood, Place, newest, read
from genoflow.processors.intake.privacy import IdentifierFound, PrivacyGuard, identifier_fault
from genoflow.processors.ports import Clock, ObjectGone, ObjectHead

PORCH = "store-notifications"
LOOKS_AT_ONCE = 8  # a list and a head take 30 ms each on AWS: some 130 objects a second
VALUE_BYTES_MAX = 900_000  # what NoticeParked has room for; SQS ends at 1 MiB, Kafka at its setting


@dataclass(slots=True)
class Told:
    """What became of some messages."""

    appended: list[Event] = field(default_factory=list)
    messages: int = 0
    idle: int = 0  # messages that said nothing, or nothing new
    parked: list[NoticeParked] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which objects land by this porch; of all others it tells only that they went."""

    buckets: tuple[str, ...]
    left_out: tuple[str, ...]  # beginnings of keys that whoever writes them reports

    def lands(self, place: Place) -> bool:
        """Whether a version that nobody reported is to land."""
        return place.bucket in self.buckets and not place.key.startswith(self.left_out)


class StorePorch:
    """Brings onto the log what is in the store and is not told yet; any number may do so."""

    def __init__(
        self, log: EventLog, shelves: Shelves, *, scope: Scope, guard: PrivacyGuard, clock: Clock,
        by: Producer,
    ) -> None:  # fmt: skip
        self.known = KnownFiles(log)
        self.scope = scope
        self._log = log
        self._shelves = shelves
        self._guard = guard
        self._clock = clock
        self._by = by
        self._at_once = asyncio.Semaphore(LOOKS_AT_ONCE)
        self._one_append = asyncio.Lock()

    async def take(self, messages: Sequence[Message]) -> Told:
        """Append what these messages lead to; when it returns, they are done with.

        Retry, with nothing lost, where the store or the log does not answer.
        """
        result = Told(messages=len(messages))
        said: list[tuple[Message, Notice]] = []
        for message in messages:
            try:
                said += [(message, one) for one in read(message.body)]
            except NotUnderstood as error:
                await self.park(message, "not understood", str(error), result)
        await self.known.catch_up()
        wanted = [(m, one) for m, one in said if self.concerns(one.place)]
        latest = newest(one for _, one in wanted)
        for place, fault in (await self._look_at(latest, result)).items():
            for message in dict.fromkeys(m for m, one in wanted if one.place == place):
                is_person = isinstance(fault, IdentifierFound)
                code = "identifier of a person" if is_person else "not takeable"
                await self.park(message, code, str(fault), result)
        result.idle = max(0, len(messages) - len(result.parked) - len(result.appended))
        return result

    def concerns(self, place: Place) -> bool:
        """Whether anything can be told of an object: it is to land, or it has landed."""
        return self.scope.lands(place) or bool(self.known.landings(place))

    async def _look_at(self, latest: dict[Place, Notice], result: Told) -> dict[Place, Refused]:
        faults: dict[Place, Refused] = {}
        places = list(latest)
        found = await asyncio.gather(*(self._looked(place) for place in places))
        for place, shelf in zip(places, found, strict=True):
            if isinstance(shelf, Refused):
                faults[place] = shelf
                continue
            try:
                async for fact in self.lacking(shelf, latest[place].at, asks_archives=True):
                    if await self.append(fact):
                        result.appended.append(fact)
            except Refused as error:
                faults[place] = error
        return faults

    async def _looked(self, place: Place) -> Shelf | Refused:
        async with self._at_once:
            try:
                return await self._shelves.look(place)
            except Refused as error:
                return error

    async def lacking(
        self,
        shelf: Shelf,
        at: datetime | None = None,
        since: datetime | None = None,
        *,
        asks_archives: bool = False,
    ) -> AsyncGenerator[Event, None]:
        """The facts about one object that the log lacks, in the order in which they happened.

        `at` is when something was erased or moved, where a message says it; `since` leaves out
        versions that came before. With `asks_archives` each archived version costs a head, to see
        whether it is restored. Whoever iterates appends each before it asks for the next.
        """
        place = shelf.place
        before: Kept | None = None
        lands = self.scope.lands(place)
        here = {one.version_id for one in shelf.kept}
        for landing in self.known.landings(place):
            fact = _deletion(place, landing, ERASED)
            is_told = landing.version_id in here or self.known.is_told(fact)
            # It may have landed since the list was made: what is gone has no head either.
            if not is_told and await self._head(place, landing.version_id) is None:
                yield self._begun(fact, at or self._clock.now())
        for one in shelf.kept:
            if one.is_marker:
                # Once that version is erased, an older one stands before the mark: it hid it never.
                hidden = self.known.hidden_by(place, one.version_id)
                is_of_another = before is not None and hidden not in (None, before.version_id)
                for landing in () if is_of_another else self._landings_of(place, before):
                    fact = _deletion(place, landing, HIDDEN, one.version_id)
                    if not self.known.is_told(fact):
                        yield self._begun(fact, one.at)
            elif lands and (since is None or one.at >= since):
                is_known = bool(self._landings_of(place, one))
                head = None if is_known else await self._head(place, one.version_id)
                if head is not None:
                    yield self._begun(landed(head), head.last_modified_at)
            async for moved in self._of_tier(place, one, asks_archives):
                yield self._begun(moved, at or self._clock.now())
            before = one

    async def _of_tier(
        self, place: Place, kept: Kept, asks_archives: bool
    ) -> AsyncGenerator[FileTierChanged | FileRestored, None]:
        landings = [] if kept.storage_class == STANDARD else [*self._landings_of(place, kept)]
        facts: list[FileTierChanged | FileRestored] = [
            FileTierChanged(**_of(place, one), storage_class=kept.storage_class) for one in landings
        ]
        if landings and asks_archives:
            head = await self._head(place, kept.version_id)
            if head is not None and head.archived_in and head.restored_until:
                facts += [
                    FileRestored(
                        **_of(place, one),
                        storage_class=head.archived_in,
                        restored_until=head.restored_until,
                    )
                    for one in landings
                ]
        for fact in facts:
            if not self.known.is_told(fact):
                yield fact

    def _landings_of(self, place: Place, kept: Kept | None) -> Iterable[Landing]:
        if kept is None or kept.is_marker:
            return ()
        return [one for one in self.known.landings(place) if one.version_id == kept.version_id]

    async def _head(self, place: Place, version_id: str) -> ObjectHead | None:
        try:
            return await self._shelves.head(place, version_id)
        except ObjectGone:
            return None  # without its head nobody can say whose it was

    def _begun(self, fact: Event, at: datetime) -> Event:
        actor = Actor(kind="service", id=PORCH)
        return begin(fact, occurred_at=at, actor=actor, by=self._by)

    def check(self, fact: Event) -> None:
        """IdentifierFound where the fact names a person."""
        self._guard.check(fact)

    def unnamed(self, text: str) -> str:
        """The text, or another one where it holds what may be an identifier of a person."""
        number = self._guard.finds(text)
        return text if number is None else f"an object's name {identifier_fault(number)}"

    async def append(self, fact: Event) -> bool:
        """Append one fact durably, unless it is told; whether it was not.

        IdentifierFound, and nothing appended, where it names a person.
        """
        self.check(fact)
        async with self._one_append:  # a crawl and a message may arrive at the same fact at once
            if self.known.stands(fact):
                return False
            await self._log.append_again(fact)
            self.known.take(fact)
        return True

    async def park(self, message: Message, code: str, reason: str, result: Told) -> None:
        """Keep a message that cannot be taken, with its bytes where they name no person."""
        text = message.body.decode(errors="replace")
        names_a_person = code == "identifier of a person" or self._guard.finds(text) is not None
        keeps = not names_a_person and len(message.body) <= VALUE_BYTES_MAX
        way_out = "see who sends such messages; `genoflow ingest reconcile` finds its objects"
        fact = NoticeParked(
            source=message.source,
            place=message.place,
            message_id=message.message_id,
            reason_code=code,
            reason=f"{message.place}: {self.unnamed(reason)[:1_000]}; {way_out}",
            value_size_bytes=len(message.body),
            value_sha256=hashlib.sha256(message.body).hexdigest(),
            value=message.body if keeps else None,
        )
        await self.append(self._begun(fact, self._clock.now()))
        result.parked.append(fact)


def _of(place: Place, landing: Landing) -> dict[str, str]:
    return {
        "subject_topic": landing.topic, "subject_key": landing.key, "bucket": place.bucket,
        "object_key": place.key, "version_id": landing.version_id,
    }  # fmt: skip


def _deletion(
    place: Place, landing: Landing, manner: str, marker_version_id: str | None = None
) -> FileDeleted:
    return FileDeleted(**_of(place, landing), manner=manner, marker_version_id=marker_version_id)
