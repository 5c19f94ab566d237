"""The rules that the routes of the API ask, over this deployment's log, store and settings."""

from __future__ import annotations

from genoflow.api.desks import Desks
from genoflow.deploy.alert_desk import LogAlerts
from genoflow.deploy.budget_desk import LogBudgets
from genoflow.deploy.catalog_desk import LogDocuments
from genoflow.deploy.chart_desk import LogCharts
from genoflow.deploy.configuration import configuration_of
from genoflow.deploy.configuration_desk import LogConfigurations
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
        configurations=LogConfigurations(log, settings.person_patterns),
        files=LogFiles(log),
        labels=LogLabels(log),
        metadata=LogMetadata(log, settings.person_patterns),
        holds=LogHolds(log),
        budgets=LogBudgets(log),
        alerts=LogAlerts(log),
        charts=LogCharts(log),
        links=StoreLinks(log, lambda: open_s3(settings)),
        parked=LogParked(log, settings.person_patterns),
    )
