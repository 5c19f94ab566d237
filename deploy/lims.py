"""The lab's information system of this deployment, and the orders that are pulled out of it."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from genoflow.deploy.order_metadata import OrderMetadata
from genoflow.deploy.settings import Settings
from genoflow.deploy.subject import LogSubjects
from genoflow.events.case_opened import CaseOpened
from genoflow.events.errors import Parked, Refused
from genoflow.events.log.port import EventLog
from genoflow.processors.adapters.rest_lims import RestLims
from genoflow.processors.intake.order_desk import Placed, Said, place, service
from genoflow.processors.intake.order_metadata import Carried, taken_off
from genoflow.processors.intake.orders import OrderRefused, read_order
from genoflow.processors.intake.privacy import PrivacyGuard
from genoflow.processors.lims_mapping import LimsMapping, read_mapping
from genoflow.processors.ports import Lims

TOKEN_BYTES_MAX = 4_096  # a JWT of a large system has some 2 kB
MAPPING_BYTES_MAX = 1_000_000  # some hundred fields have some ten kB
TOGETHER_MAX = 200  # orders in one append, of some kB each; the log is read once for all of them
UNNAMED = "?"
SYSTEM = "lims"  # what ordered, where the order names no system
OPENED, STANDS, REFUSED = "opened", "stands already", "refused"


@dataclass(frozen=True, slots=True)
class Pulled:
    """What became of an order of theirs."""

    place: str
    case_id: str
    outcome: str
    reasons: tuple[str, ...] = ()


def open_lims(settings: Settings) -> Lims | None:
    """The system that the settings name; None where they name none."""
    if settings.lims is None:
        return None
    path = settings.lims_token_file
    token = None if path is None else lambda: read_token(path)
    return RestLims(settings.lims, _mapping(settings.lims_mapping), token)


def _mapping(path: Path | None) -> LimsMapping:
    if path is None:
        raise Refused(
            "GENOFLOW_LIMS_MAPPING: is not set; name the document that says how the LIMS calls "
            "orders and results (docs/lims.md shows one)"
        )
    try:
        with path.open("rb") as file:
            text = file.read(MAPPING_BYTES_MAX + 1).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path}: the mapping of the LIMS cannot be read ({error})") from error
    if len(text) > MAPPING_BYTES_MAX:
        raise Refused(f"{path}: is longer than {MAPPING_BYTES_MAX:,} bytes; that is no mapping")
    return read_mapping(text, str(path))


def read_token(path: Path) -> str:
    """The token in a file, read each time, so that a new one counts at once; Parked without one."""
    way_on = "then `genoflow parked requeue`"
    try:
        mode = path.stat().st_mode
        with path.open("rb") as file:
            token = file.read(TOKEN_BYTES_MAX).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Parked(
            f"{path}: the token of the LIMS cannot be read ({type(error).__name__}); put it there, "
            f"{way_on}"
        ) from error
    if stat.S_IMODE(mode) & 0o077:
        raise Parked(f"{path}: others may read this token; chmod 600 it, {way_on}")
    if not token or not token.isprintable() or " " in token:
        raise Parked(f"{path}: holds no token, which is one word; put it there, {way_on}")
    return token


Right = tuple[str, CaseOpened]  # where it was found, and the order


async def pull(
    log: EventLog, lims: Lims, patterns: Sequence[str], at: datetime, *, dry_run: bool
) -> list[Pulled]:
    """Place every order that is released there; one that is wrong keeps none of the others back."""
    guard = PrivacyGuard(patterns)
    said = Said(service(SYSTEM), at)
    carried: dict[str, list[Carried]] = {}
    beside = OrderMetadata(log, patterns, carried, said)
    desk = _Desk(log, LogSubjects(log), said, dry_run, beside)
    found: list[Pulled] = []
    right: list[Right] = []
    for where, document in await lims.orders():
        try:
            bare, more = taken_off(document, where)
            right.append((where, order := read_order(bare, guard, source=SYSTEM)))
            carried.setdefault(order.case_id, more)
        except OrderRefused as error:
            reasons = tuple(str(one) for one in error.problems)
            found.append(Pulled(where, _named(document, guard), REFUSED, reasons))
    for first in range(0, len(right), TOGETHER_MAX):
        part = right[first : first + TOGETHER_MAX]
        found += await desk.together(part) or [await desk.alone(one) for one in part]
    return found


@dataclass(frozen=True, slots=True)
class _Desk:
    log: EventLog
    subjects: LogSubjects
    said: Said
    dry_run: bool
    beside: OrderMetadata

    async def together(self, part: Sequence[Right]) -> list[Pulled]:
        """All of these at once; none where one of them is refused, or is there twice."""
        orders = [order for _, order in part]
        if len({order.case_id for order in orders}) < len(orders):
            return []
        try:
            placed = await self._place(orders)
        except Refused:
            return []
        return [_told(where, one) for (where, _), one in zip(part, placed, strict=True)]

    async def alone(self, one: Right) -> Pulled:
        """This one, held to what stands on the log by now."""
        where, order = one
        try:
            [placed] = await self._place([order])
        except Refused as error:
            return Pulled(where, order.case_id, REFUSED, tuple(str(error).splitlines()))
        return _told(where, placed)

    async def _place(self, orders: Sequence[CaseOpened]) -> list[Placed]:
        return await place(
            self.log, self.subjects, orders, self.said, dry_run=self.dry_run, beside=self.beside
        )


def _told(where: str, placed: Placed) -> Pulled:
    return Pulled(where, placed.order.case_id, OPENED if placed.is_new else STANDS)


def _named(document: object, guard: PrivacyGuard) -> str:
    """How a wrong order is called; what is no id may be anything, a person's number too."""
    named = document.get("case_id") if isinstance(document, dict) else None
    return named if isinstance(named, str) and guard.finds(named) is None else UNNAMED
