"""The porch of GuardDuty's verdicts: what it found in an object stands on the log.

GuardDuty scans what comes into a bucket by itself, and EventBridge hands its verdict to a queue.
It goes to each subject for which the file landed. Where it has not landed yet, it lands first: the
message is proof that it is there. An object of which nothing lands, such as one of a run folder, is
told of only where something was found in it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from genoflow.events.envelope import Actor, Producer
from genoflow.events.errors import Refused
from genoflow.events.event import Event, begin
from genoflow.processors.intake.heard import Message, Shelves
from genoflow.processors.intake.known_files import Landing
from genoflow.processors.intake.landing import landed
from genoflow.processors.intake.notices import NotUnderstood, Place
from genoflow.processors.intake.notifications import StorePorch, Told
from genoflow.processors.ports import UNVERSIONED, Clock, ObjectGone, Scanned
from genoflow.processors.scan_files import verdict

PORCH = "scan-verdicts"
SCANNER = "guardduty"
RESULT = "GuardDuty Malware Protection Object Scan Result"
# Of the same source, about its own state: whether it may scan, and whether it could put its tag.
OTHERS = (
    "GuardDuty Malware Protection Resource Status Active",
    "GuardDuty Malware Protection Resource Status Warning",
    "GuardDuty Malware Protection Resource Status Error",
    "GuardDuty Malware Protection Post Scan Action Failed",
)
CLEAN, INFECTED = "NO_THREATS_FOUND", "THREATS_FOUND"
NO_VERDICT = ("UNSUPPORTED", "ACCESS_DENIED", "FAILED")
UNNAMED = "a threat that it does not name"


@dataclass(frozen=True, slots=True)
class Said:
    """A verdict of GuardDuty on one version of an object."""

    place: Place
    version_id: str
    status: str
    threats: tuple[str, ...]


def read_verdict(body: bytes) -> Said | None:
    """What a message says; None where it is about something else. NotUnderstood for any other."""
    try:
        said = json.loads(body)
        if said["detail-type"] in OTHERS:
            return None
        if said["detail-type"] != RESULT:
            raise NotUnderstood(f"tells of {said['detail-type']!r}, which is no verdict")
        return _said(said["detail"])
    except (ValueError, RecursionError) as error:
        raise NotUnderstood(f"is no JSON: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise NotUnderstood(f"lacks what a verdict has: {type(error).__name__} {error}") from error


def _said(detail: Mapping[str, Any]) -> Said:
    thing, result = detail["s3ObjectDetails"], detail["scanResultDetails"]
    status = str(result["scanResultStatus"])
    if status not in (CLEAN, INFECTED, *NO_VERDICT):
        raise NotUnderstood(f"has the verdict {status!r}, which is not known here")
    threats = tuple(str(one["name"]) for one in result.get("threats") or ())
    place = Place(str(thing["bucketName"]), str(thing["objectKey"]))
    version = str(thing.get("versionId") or UNVERSIONED)
    return Said(place, version, status, threats or ((UNNAMED,) if status == INFECTED else ()))


class VerdictPorch:
    """Brings GuardDuty's verdicts onto the log; any number of porches may do so."""

    def __init__(self, store: StorePorch, shelves: Shelves, *, clock: Clock, by: Producer) -> None:
        self._store = store
        self._shelves = shelves
        self._clock = clock
        self._by = by

    async def take(self, messages: Sequence[Message]) -> Told:
        """Append what these messages lead to; when it returns, they are done with.

        Retry, with nothing lost, where the store or the log does not answer.
        """
        result = Told(messages=len(messages))
        await self._store.known.catch_up()
        for message in messages:
            before = len(result.appended) + len(result.parked)
            try:
                said = read_verdict(message.body)
                if said is not None:
                    async for fact in self._facts(said):
                        if await self._store.append(fact):
                            result.appended.append(fact)
            except NotUnderstood as error:
                await self._store.park(message, "not understood", str(error), result)
            except Refused as error:
                await self._store.park(message, "not takeable", str(error), result)
            result.idle += len(result.appended) + len(result.parked) == before
        return result

    async def _facts(self, said: Said) -> AsyncIterator[Event]:
        subjects = self._landed(said)
        if not subjects:
            try:
                head = await self._shelves.head(said.place, said.version_id)
            except ObjectGone:
                return  # nobody can read it
            fact = landed(head)
            if self._store.scope.lands(said.place):
                yield self._begun(fact, head.last_modified_at)
            elif fact.sample_id is None and said.status != CLEAN:
                raise Refused(
                    f"{said.place}@{said.version_id}: {said.status} {', '.join(said.threats)}, and "
                    f"it is no file of a sample; see who wrote it, and take it away"
                )
            elif fact.sample_id is None:
                return
            subjects = [Landing(said.version_id, fact.topic, fact.key)]
        if said.status in NO_VERDICT:
            raise Refused(
                f"{said.place}@{said.version_id}: GuardDuty could not scan it: {said.status}. It "
                f"is not read; see GuardDuty's rights, and have it scanned on demand"
            )
        place = said.place.bucket, said.place.key, said.version_id
        for one in subjects:
            found = Scanned(SCANNER, "", threats=said.threats)
            yield self._begun(verdict(one.topic, one.key, place, found), self._clock.now())

    def _landed(self, said: Said) -> list[Landing]:
        known: Iterable[Landing] = self._store.known.landings(said.place)
        return [one for one in known if one.version_id == said.version_id]

    def _begun(self, fact: Event, at: datetime) -> Event:
        actor = Actor(kind="service", id=PORCH)
        return begin(fact, occurred_at=at, actor=actor, by=self._by)
