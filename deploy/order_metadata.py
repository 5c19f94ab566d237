"""Metadata of samples that come with their orders: held to the schema before a case is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from genoflow.api.desks import Decided
from genoflow.deploy.catalog import LogCatalog
from genoflow.deploy.metadata_desk import Known, LogMetadata, request_with
from genoflow.deploy.metadata_schemas import refuse
from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.case_opened import CaseOpened
from genoflow.events.errors import Refused
from genoflow.events.event import E, Event
from genoflow.events.log.port import EventLog
from genoflow.events.metadata_schema_published import MetadataSchemaPublished
from genoflow.processors.intake.order_desk import Said, begun
from genoflow.processors.intake.order_metadata import Carried


class OrderMetadata:
    """What orders that are new say of their samples; those that stand already say nothing more."""

    def __init__(
        self,
        log: EventLog,
        person_patterns: Sequence[str],
        carried: Mapping[str, Sequence[Carried]],
        by: Said,
    ) -> None:
        self._log = log
        self._desk = LogMetadata(log, person_patterns)
        self._carried = carried  # by the case
        self._by = by

    async def __call__(self, orders: Sequence[CaseOpened]) -> list[Event]:
        """The facts to be appended with these; Refused names all that does not fit, by its place.

        The schemas and the stories are read once for all of them.
        """
        said = [(order, one) for order in orders for one in self._carried.get(order.case_id, ())]
        if not said:
            return []
        in_force = await LogCatalog(self._log).in_force(MetadataSchemaPublished)
        samples = {order.members[one.member].sample_id for order, one in said}
        stories = await LogSubjects(self._log).events_of(topics.SAMPLE, samples)
        facts: dict[tuple[str, object], Event] = {}
        faults: list[str] = []
        for order, one in said:
            sample = order.members[one.member].sample_id
            known = Known(sample, stories[sample], order.project_id, in_force)
            try:
                fact, is_new = self._desk.drafted(known, one.metadata, self._decided(order, one))
            except Refused as error:
                where = f"{one.place}: members.{one.member}"
                faults += [f"{where}.{line}" for line in str(error).splitlines()]
                continue
            if is_new:
                facts.setdefault((sample, fact.metadata), fact)
        refuse(faults)
        return list(facts.values())

    def _decided(self, order: CaseOpened, one: Carried) -> Decided:
        sample = order.members[one.member].sample_id
        request = request_with(one.metadata, "CaseOpened", order.case_id, sample)
        is_person = self._by.actor.kind == "person"
        role = "operator" if is_person else "ordering system"
        return Decided(f"they came with order {order.case_id}", role, self._says, request)

    def _says(self, fact: E, because: Event | None = None) -> E:
        assert because is None
        return begun(fact, self._by)
