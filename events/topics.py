"""The topics: one key each, one order each. Their names stand here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

# Kafka's own limit is 249; the changelog of a task adds a processor's name to its topic's.
TOPIC_NAME_CHARACTERS_MAX = 200

# One number for all keyed topics of a deployment, never changed under a name (docs/decisions).
PARTITIONS_EMBEDDED = 4
PARTITIONS_DEFAULT = 16


class Retention(StrEnum):
    """What a topic forgets."""

    FOREVER = "forever"  # the record of the lab: retention.ms and retention.bytes are -1
    LATEST_PER_KEY = "latest-per-key"  # a changelog: compacted, never deleted
    ONE_DAY = "one-day"  # a status: deleted after 24 h, when nobody asks for it any more


@dataclass(frozen=True, slots=True)
class Topic:
    """A log of facts about one kind of subject, ordered per key."""

    name: str
    key: str  # what its key is, in words
    about: str
    retention: Retention = Retention.FOREVER


SEQUENCING_RUN = Topic(
    "gf.sequencing-run.v1", "instrument run id", "the instrument's runs, sheets and demultiplexing"
)
SAMPLE = Topic("gf.sample.v1", "sample id", "samples, their read sets, files and quality")
CASE = Topic("gf.case.v1", "case id", "orders: who belongs together and what is owed when")
RUN = Topic("gf.run.v1", "run id", "pipeline runs, their tasks and their results")
CATALOG = Topic("gf.catalog.v1", "document id", "pipelines, profiles, references, target sets")
NOTIFICATION = Topic("gf.notification.v1", "subscription id", "who is told what, and whether")
PARKED = Topic("gf.parked.v1", "the subject's own key", "events that a processor could not take")
GOVERNANCE = Topic(
    "gf.governance.v1", "stream", "what is done to the record itself: read models, replays, rights"
)
ACCESS = Topic("gf.access.v1", "account id", "who was shown which subjects")
CONTENT = Topic("gf.content.v1", "SHA-256", "which files of samples hold the same bytes")
BUDGET = Topic("gf.budget.v1", "project id", "what projects may spend on runs, and what they cost")
ALERT = Topic("gf.alert.v1", "alert id", "what people have to look at, who did, and how it ended")

# The order is the order of the pages and of `genoflow topics`; positions as words count on it.
TOPICS = (
    SEQUENCING_RUN,
    SAMPLE,
    CASE,
    RUN,
    CATALOG,
    NOTIFICATION,
    PARKED,
    GOVERNANCE,
    ACCESS,
    CONTENT,
    BUDGET,
    ALERT,
)
BY_NAME = {topic.name: topic for topic in TOPICS}

WORKERS = Topic(
    "gf.workers.v1", "worker id", "what each worker is doing; forgotten after a day",
    Retention.ONE_DAY,
)  # fmt: skip
TOWER = Topic(
    "gf.changelog.watchtower.v1", "the key of a value", "what the watchtower has counted",
    Retention.LATEST_PER_KEY,
)  # fmt: skip
# They hold no events: created with the others, and left out of every export, backup and tail.
INTERNAL = (WORKERS, TOWER)


def declared(changelogs: Iterable[Topic] = ()) -> tuple[Topic, ...]:
    """Every topic that a deployment has, with the changelogs of the processors that it runs."""
    return (*TOPICS, *INTERNAL, *changelogs)


def changelog_of(processor: str, topic: Topic) -> Topic:
    """The compacted topic that keeps a processor's state beside the topic that it reads."""
    return Topic(
        f"gf.changelog.{processor}.{topic.name.removeprefix('gf.')}",
        "the key of the state",
        f"state, open effects and position of {processor}",
        Retention.LATEST_PER_KEY,
    )
