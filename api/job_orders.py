"""What a job asks for, in the words of an order: samples that were ordered, and another pipeline.

A job is a case of its own. What it is of (assay, reference, regions, profile, and who is who) is
said by the newest order of the same samples: so it is held to what its reads were judged by, and
its results take nobody's place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from genoflow.events.case_member import CaseMember
from genoflow.events.case_opened import CaseOpened
from genoflow.events.errors import Refused
from genoflow.events.order import Order

# The words of those who ask for jobs, and those of orders.
PRIORITIES: Mapping[str, str] = {"high": "urgent", "normal": "routine", "low": "low"}
SINGLE = "single"
ENDED_WELL = "published"  # a case that was closed otherwise is no order to go by
SHOWN_MAX = 5
ANEW = "order a case with the roles of its samples (POST /v1/cases, `genoflow case open`)"


@dataclass(frozen=True, slots=True)
class Wish:
    """What whoever asks for a job has said."""

    pipeline_id: str
    sample_ids: Sequence[str]
    priority: str
    config_id: str | None = None


@dataclass(frozen=True, slots=True)
class Takes:
    """What the pipeline takes, and whose the configuration is that the wish names."""

    kinds: Sequence[str]
    materials: Sequence[str]
    configured: str | None = None


class NoJob(Refused):
    """A wish that cannot be a job; every fault by its place."""

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        super().__init__("\n".join(f"{place}: {fact}" for place, fact in faults))
        self.faults = tuple(faults)


def case_of_job(job_id: UUID) -> str:
    """The id of the case that a job is."""
    return f"job-{job_id}"


def order_of_job(
    wish: Wish, takes: Takes | None, orders: Sequence[Order], job_id: UUID, source: str
) -> CaseOpened:
    """The order that a job is, by what was ordered for its samples, the newest order last.

    NoJob names everything that is wrong.
    """
    faults = [
        *_of_pipeline(wish, takes), *_of_samples(wish, orders), *_of_configuration(wish, takes),
    ]  # fmt: skip
    like = None if faults else _like(wish, orders)
    if like is None and not faults:
        faults.append(("sample_ids", _no_common(wish, orders)))
    if like is not None and takes is not None:
        faults += _unfit(wish, takes, like)
    if faults or like is None:
        raise NoJob(faults)
    words = {name: getattr(like, name) for name in Order.model_fields}
    changed = {
        "case_id": case_of_job(job_id), "pipeline": wish.pipeline_id, "source": source,
        "priority": PRIORITIES[wish.priority], "due_at": None,
    }  # fmt: skip
    return CaseOpened(**words | changed, run_id=job_id, configuration=wish.config_id)


def _of_pipeline(wish: Wish, takes: Takes | None) -> Iterator[tuple[str, str]]:
    if takes is None:
        yield (
            "pipeline_id",
            f"{wish.pipeline_id}: no pipeline is published under this id; GET /v1/pipelines lists "
            f"those that are",
        )


def _of_configuration(wish: Wish, takes: Takes | None) -> Iterator[tuple[str, str]]:
    if wish.config_id is None or takes is None or takes.configured == wish.pipeline_id:
        return
    whose = "nobody has saved it" if takes.configured is None else f"it is of {takes.configured}"
    yield (
        "config_id",
        f"{wish.config_id}: {whose}; GET /v1/pipelines/{wish.pipeline_id}/configurations lists "
        f"those of {wish.pipeline_id}",
    )


def _of_samples(wish: Wish, orders: Sequence[Order]) -> Iterator[tuple[str, str]]:
    ordered = {member.sample_id for order in orders for member in order.members}
    first: dict[str, int] = {}
    for number, sample_id in enumerate(wish.sample_ids):
        place = f"sample_ids.{number}"
        if first.setdefault(sample_id, number) != number:
            yield place, f"is that of sample_ids.{first[sample_id]} too; leave one of the two out"
        elif sample_id not in ordered:
            yield place, f"{sample_id}: no open or published case names this sample; {ANEW}"


def _like(wish: Wish, orders: Sequence[Order]) -> Order | None:
    """The newest order of these samples; of one alone any that names it, as a single one."""
    wanted = {*wish.sample_ids}
    for order in reversed(orders):
        if {one.sample_id for one in order.members} == wanted:
            return order
    if len(wanted) > 1:
        return None
    [sample_id] = wanted
    for order in reversed(orders):
        for member in order.members:
            if member.sample_id == sample_id:
                alone = CaseMember(**dict(member) | {"role": SINGLE})
                return order.model_copy(update={"kind": SINGLE, "members": (alone,)})
    return None


def _no_common(wish: Wish, orders: Sequence[Order]) -> str:
    known = {
        order.case_id: ", ".join(member.sample_id for member in order.members)
        for order in orders
        if {*wish.sample_ids} & {member.sample_id for member in order.members}
    }
    shown = "; ".join(f"{case_id}: {names}" for case_id, names in [*known.items()][-SHOWN_MAX:])
    return (
        f"these are not the members of one case, so nobody has said who of them is what ({shown}); "
        f"name the members of one case, or a single sample, or {ANEW}"
    )


def _unfit(wish: Wish, takes: Takes, like: Order) -> Iterator[tuple[str, str]]:
    if like.kind not in takes.kinds:
        yield (
            "pipeline_id",
            f"{wish.pipeline_id}: takes {', '.join(takes.kinds)} cases, and these samples are a "
            f"{like.kind} case; name another pipeline, or other samples",
        )
    if like.material not in takes.materials:
        yield (
            "pipeline_id",
            f"{wish.pipeline_id}: takes {', '.join(takes.materials)}, and these samples are there "
            f"as {like.material}; name another pipeline",
        )
