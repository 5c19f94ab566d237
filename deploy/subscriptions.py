"""Who wants to be told, as the log says it, and what a person may change about it.

A small reader for effects and commands. It reads the topic to its end before each answer and keeps
what it has read, so an answer costs what is new. The read models take it over.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from genoflow.events import topics
from genoflow.events.case_opened import CaseOpened
from genoflow.events.errors import Contradicted, Refused
from genoflow.events.event import Event
from genoflow.events.log.port import EventLog, Vector
from genoflow.events.subjects import Subjects
from genoflow.events.subscription_cancelled import SubscriptionCancelled
from genoflow.events.subscription_created import SubscriptionCreated
from genoflow.processors.adapters.public_network import is_public
from genoflow.processors.headlines import TOLD_TYPES

# An event is planned for 1,000 receivers at most; a lab with its cancelled ones of ten years has
# some hundred. Each takes 2 kB, so a full reader holds 20 MB.
KNOWN_MAX = 10_000
IN_FORCE_MAX = 1_000
# A case's project is settled by its order, so what was read once is kept; 40 bytes each.
CASES_KEPT_MAX = 10_000
SNS_TOPIC = re.compile(
    r"arn:(aws|aws-cn|aws-us-gov):sns:[a-z0-9-]{1,40}:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?"
)
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
TYPES = (SubscriptionCreated.type(), SubscriptionCancelled.type())


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription, and its end where it has one."""

    created: SubscriptionCreated
    cancelled: SubscriptionCancelled | None = None


@dataclass(slots=True)
class _Known:
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    next: Vector = field(default_factory=dict)


async def subscriptions_of(subjects: Subjects) -> list[Subscription]:
    """Every subscription that there ever was, by its id, read once."""
    known: dict[str, Subscription] = {}
    kinds = (SubscriptionCreated, SubscriptionCancelled)
    async with aclosing(subjects.every(topics.NOTIFICATION, *kinds)) as events:
        async for event in events:
            _hear(known, event)
    return [one for _, one in sorted(known.items())]


def _hear(known: dict[str, Subscription], event: Event) -> None:
    if isinstance(event, SubscriptionCreated):
        known.setdefault(event.subscription_id, Subscription(event))
    elif isinstance(event, SubscriptionCancelled):
        before = known.get(event.subscription_id)
        if before is not None and before.cancelled is None:
            known[event.subscription_id] = Subscription(before.created, event)


class LogSubscriptions:
    """SubscriptionReader over the log."""

    def __init__(self, log: EventLog, subjects: Subjects) -> None:
        self._log = log
        self._subjects = subjects
        self._known = _Known()
        self._projects: dict[str, str | None] = {}
        self._reading = asyncio.Lock()

    async def all(self) -> list[Subscription]:
        """Every subscription that there ever was, by its id."""
        async with self._reading:
            await self._catch_up()
        return [one for _, one in sorted(self._known.subscriptions.items())]

    async def in_force(self) -> Sequence[SubscriptionCreated]:
        """Every subscription that is not cancelled."""
        return [one.created for one in await self.all() if one.cancelled is None]

    async def project_of(self, case_id: str) -> str | None:
        """The project that the order of a case names; None where there is none."""
        if case_id not in self._projects:
            found = await self._subjects.events_of(topics.CASE, [case_id])
            opened = [one for one in found[case_id] if isinstance(one, CaseOpened)]
            if not opened:
                return None
            if len(self._projects) >= CASES_KEPT_MAX:
                self._projects.clear()
            self._projects[case_id] = opened[0].project_id
        return self._projects[case_id]

    async def _catch_up(self) -> None:
        name = topics.NOTIFICATION.name
        known = self._known
        start = known.next or await self._log.starts(name)
        stop = await self._log.ends(name)
        async with aclosing(self._log.read(start, stop)) as records:
            async for record in records:
                if record.type not in TYPES:
                    continue  # what was sent and what failed is many times more
                _hear(known.subscriptions, record.event)
                if len(known.subscriptions) > KNOWN_MAX:
                    raise Refused(
                        f"{name}: holds more than {KNOWN_MAX:,} subscriptions, more than this "
                        f"reader keeps; raise KNOWN_MAX in deploy/subscriptions.py"
                    )
        known.next = stop


def check_new(fact: SubscriptionCreated, known: Sequence[Subscription]) -> bool:
    """Whether it is new; Contradicted where its name is taken, or there are too many in force."""
    same = next((o for o in known if o.created.subscription_id == fact.subscription_id), None)
    if same is not None:
        if same.cancelled is None and same.created.payload() == fact.payload():
            return False
        raise Contradicted(
            f"{fact.subscription_id}: a subscription of this name "
            f"{'was cancelled' if same.cancelled else 'stands on the log with other wishes'}; "
            f"names are never used again, choose another"
        )
    if sum(one.cancelled is None for one in known) >= IN_FORCE_MAX:
        raise Contradicted(
            f"{IN_FORCE_MAX:,} subscriptions are in force, and an event is told to no more; "
            f"cancel one (`genoflow subscription list`)"
        )
    return True


def check_types(names: Sequence[str]) -> tuple[str, ...]:
    """The types of events, each once, all that are told of without one; Refused for another."""
    for name in names:
        if name not in TOLD_TYPES:
            raise Refused(f"{name!r}: nobody is told of it; there are {', '.join(TOLD_TYPES)}")
    return tuple(dict.fromkeys(names or TOLD_TYPES))


def check_email(address: str, named: str = "--email") -> str:
    """The address; Refused where it is none that a letter could be sent to."""
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain or any(one.isspace() or one in ",;<>" for one in address):
        raise Refused(f"{named}: is no address, such as lab@example.org; give one address")
    return address


def check_url(url: str, allowed_hosts: Sequence[str], named: str = "--webhook") -> str:
    """The address of a receiver; Refused where no worker would ever post to it."""
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise Refused(f"{named}: is no URL ({error}), such as https://lab.example/h") from error
    is_ours = host in {one.lower() for one in allowed_hosts}
    way = "use https and a public name, or name its host in GENOFLOW_WEBHOOK_HOSTS"
    if not host or not url.isascii() or parts.scheme not in ("https", "http") or parts.fragment:
        raise Refused(f"{named}: is no http(s) URL in ASCII, such as https://lab.example/hooks")
    if parts.username is not None:
        raise Refused(f"{named}: holds a user; a receiver knows us by the signature, leave it out")
    if is_ours:
        return url
    if parts.scheme != "https":
        raise Refused(f"{named}: is not https; {way}")
    try:
        literal = is_public(host)
        ip_address(host)
    except ValueError:
        literal = host != "localhost" and not host.endswith(".localhost")
    if not literal:
        raise Refused(f"{named}: names an address that is not public; {way}")
    return url


def check_sns(target: str, named: str = "--sns") -> str:
    """A topic of Amazon SNS or a phone; Refused where it is neither."""
    if SNS_TOPIC.fullmatch(target) or E164.fullmatch(target):
        return target
    raise Refused(
        f"{named}: is neither the ARN of a topic (arn:aws:sns:eu-central-1:123456789012:alerts) "
        f"nor a number as E.164 has it (+491701234567); give one of them"
    )


def check_target(channel: str, target: str, allowed_hosts: Sequence[str], named: str) -> str:
    """The address of a channel; Refused where nothing would ever be sent to it."""
    if channel == "email":
        return check_email(target, named)
    if channel == "sns":
        return check_sns(target, named)
    return check_url(target, allowed_hosts, named)
