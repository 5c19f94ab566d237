"""Who was shown which subjects: noted before the answer leaves, told once a second.

1. An answer's ids are read off its body, so that no route can forget to name one.
2. They are counted here, in memory, for each caller and route.
3. Once a second, and at the end, they go into the outbox, in Postgres, from where the log gets them
   whenever it answers. Without Postgres nobody could be shown anything.

What cannot be kept is not shown: where the room here is taken, a read is refused with 503.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from uuid import UUID, uuid4

from asyncpg import Pool

from genoflow.api.identity import outbox
from genoflow.api.identity.permissions import Caller
from genoflow.api.ports import UNAVAILABLE, Clock
from genoflow.api.refusal import Refusal
from genoflow.events.envelope import Actor
from genoflow.events.errors import StackFault
from genoflow.events.subjects_read import READ_MAX, SubjectRead, SubjectsRead

SERVICE = "reads"  # the porch, as the flow names it
TELL_SECONDS = 1.0  # a kill loses the reads of one second; a stop loses none
# Entries of some 300 bytes: 30 MB. Ten callers who list 1,000 rows of three ids 100 times a minute
# add 5,000 different ones a second, so this is twenty seconds without Postgres.
ENTRIES_MAX = 100_000
# How answers name their subjects, and which kind each name is. Where runs are told by run_id, a
# job_id beside it is the launcher's own.
KINDS: Mapping[bytes, str] = {
    b"sample_id": "sample", b"case_id": "case", b"run_id": "run", b"job_id": "run",
    b"subject_ref": "subject",
}  # fmt: skip
# In JSON without spaces, as we render it; a quote within a text would have a backslash before it.
_SHOWN = re.compile(rb'"(' + b"|".join(KINDS) + rb')":"([A-Za-z0-9][A-Za-z0-9._-]{0,99})"')
Subject = tuple[bytes, bytes]  # how the answer names it, its id
Entry = tuple[str, bytes, bytes]  # the route before it
_log = logging.getLogger(__name__)


def shown_in(body: bytes) -> Collection[Subject]:
    """The subjects that an answer shows, each once."""
    found = set(_SHOWN.findall(body))
    if any(name == b"run_id" for name, _ in found):
        return {one for one in found if one[0] != b"job_id"}
    return found


class _Shown:
    """What one caller was shown since it was told last."""

    def __init__(self, account: UUID, actor: Actor, began_at: datetime) -> None:
        self.account = account
        self.actor = actor
        self.began_at = began_at
        self.answers: Counter[Entry] = Counter()

    def told(self, ended_at: datetime) -> Iterator[SubjectsRead]:
        """It as facts, of which each holds as much as one can."""
        reads = [
            # Not checked once more: the pattern has found nothing else.
            SubjectRead.model_construct(
                kind=KINDS[name], subject=subject.decode(), route=route, answers=answers
            )
            for (route, name, subject), answers in sorted(self.answers.items())
        ]
        for start in range(0, len(reads), READ_MAX):
            yield SubjectsRead(
                batch_id=uuid4(), account_id=self.account, began_at=self.began_at,
                ended_at=ended_at, reads=tuple(reads[start : start + READ_MAX]),
            )  # fmt: skip


class Reads:
    """What this process has answered and not told yet."""

    def __init__(self, pool: Pool, clock: Clock, *, entries_max: int = ENTRIES_MAX) -> None:
        self._pool = pool
        self._clock = clock
        self._entries_max = entries_max
        self._entries = 0
        self._shown: dict[UUID, _Shown] = {}  # by the session or key
        self._untold: list[tuple[SubjectsRead, Actor]] = []
        self._telling = asyncio.Lock()

    @property
    def waiting(self) -> int:
        """How many entries are not told yet."""
        return self._entries

    def note(self, caller: Caller, route: str, body: bytes) -> None:
        """Keep what this answer shows; a Refusal of 503 where there is no room for it."""
        self.add(caller, route, shown_in(body))

    def add(self, caller: Caller, route: str, found: Collection[Subject]) -> None:
        """Keep that this was shown; a Refusal of 503 where there is no room for it."""
        if not found:
            return
        if self._entries >= self._entries_max:
            raise Refusal(
                503, "what is read is written down, and that is not possible now; ask again",
                headers={"Retry-After": "5"},
            )  # fmt: skip
        shown = self._shown.get(caller.via_id)
        if shown is None:
            shown = _Shown(caller.account, caller.actor, self._clock())
            self._shown[caller.via_id] = shown
        before = len(shown.answers)
        shown.answers.update((route, name, subject) for name, subject in found)
        self._entries += len(shown.answers) - before

    async def tell(self) -> int:
        """Put what was noted into the outbox, and return how many facts that are."""
        async with self._telling:
            taken, self._shown = self._shown, {}
            now = self._clock()
            for shown in taken.values():
                self._untold += [(fact, shown.actor) for fact in shown.told(now)]
            facts = self._untold
            if not facts:
                return 0
            async with self._pool.acquire() as connection, connection.transaction():
                said = [(fact, fact.ended_at, actor) for fact, actor in facts]
                await outbox.announce_all(connection, said, SERVICE)
            # After a commit of unknown outcome they are told again, under the same ids.
            self._untold = []
            self._entries -= sum(len(fact.reads) for fact, _ in facts)
            return len(facts)


async def keep_telling(reads: Reads) -> None:
    """Tell for ever, once a second; while Postgres is away, what was noted waits."""
    while True:
        await asyncio.sleep(TELL_SECONDS)
        try:
            await reads.tell()
        except UNAVAILABLE as error:
            _log.warning("%d reads of subjects wait for Postgres: %s", reads.waiting, error)


async def tell_the_last(reads: Reads) -> None:
    """Tell what is left when the service stops; StackFault where nobody takes it."""
    try:
        await reads.tell()
    except UNAVAILABLE as error:
        raise StackFault(
            f"{reads.waiting} reads of subjects could not be told before the end: Postgres does "
            f"not answer ({type(error).__name__}); say in the records of the lab from when to when"
        ) from error
