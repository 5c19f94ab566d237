"""The rules that the routes of the API ask, over this deployment's log, store and settings."""

from __future__ import annotations

from genoflow.api.desks import Desks
from genoflow.deploy.catalog_desk import LogDocuments
from genoflow.deploy.configuration import configuration_of
from genoflow.deploy.download_links import StoreLinks
from genoflow.deploy.file_desk import LogFiles
from genoflow.deploy.hold_desk import LogHolds
from genoflow.deploy.label_desk import LogLabels
from genoflow.deploy.metadata_desk import LogMetadata
from genoflow.deploy.parked_desk import LogParked
from genoflow.deploy.settings import Settings
from genoflow.deploy.subscribers import LogSubscribers
from genoflow.deploy.wiring import open_s3
from genoflow.events.log.port import EventLog


def desks(settings: Settings, log: EventLog) -> Desks:
    """Every rule that a route asks."""
    return Desks(
        subscribers=LogSubscribers(log, settings),
        catalog=LogDocuments(log, settings.person_patterns),
        configuration=configuration_of(settings),
        files=LogFiles(log),
        labels=LogLabels(log),
        metadata=LogMetadata(log, settings.person_patterns),
        holds=LogHolds(log),
        links=StoreLinks(log, lambda: open_s3(settings)),
        parked=LogParked(log, settings.person_patterns),
    )
