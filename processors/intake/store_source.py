"""The object store asked again: a crawl of where files are expected, for all who lack one."""

from __future__ import annotations

from genoflow.events.event import Event
from genoflow.processors.intake.heard import Shelves
from genoflow.processors.intake.looks import Found, Looks
from genoflow.processors.intake.notifications import StorePorch
from genoflow.processors.intake.reconcile import reconcile
from genoflow.processors.sources import Answer, Question


class StoreSource:
    """Crawls the one beginning of keys where files of reads are put; the porch tells what it has.

    Whose a file is stands in its metadata and never in its name, so no narrower crawl would do.
    """

    def __init__(
        self, porch: StorePorch, shelves: Shelves, looks: Looks, bucket: str, prefix: str = ""
    ) -> None:
        self._porch = porch
        self._shelves = shelves
        self._looks = looks
        self._bucket = bucket
        self._prefix = prefix

    async def ask(self, question: Question) -> Answer:
        """What the newest crawl has told of the subject."""
        place = f"s3://{self._bucket}/{self._prefix}"
        return await self._looks.answer(question, place, self._crawl)

    async def _crawl(self) -> Found:
        brought: dict[str, list[Event]] = {}
        crawl = await reconcile(
            self._porch, self._shelves, self._bucket, self._prefix,
            told=lambda fact: brought.setdefault(fact.key, []).append(fact),
        )  # fmt: skip
        faults = f"; {crawl.fault_count:,} objects cannot be told" if crawl.fault_count else ""
        reason = (
            f"a crawl of {crawl.objects:,} objects told {crawl.missing.total():,} facts of "
            f"{len(brought):,} subjects{faults}"
        )
        return Found(brought, reason)
