"""Facts that stand beside what they are about: on the subject's own topic, under its own key."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.event import Event
from genoflow.events.types import SubjectKey, TopicName


class OnSubject(Event):
    """Ordered with the facts of its subject, whichever kind of subject that is."""

    subject_topic: TopicName = Field(description="the topic of the subject")
    subject_key: SubjectKey = Field(description="the subject")

    @property
    def key(self) -> str:
        """The subject's own key."""
        return self.subject_key

    @property
    def topic(self) -> str:
        """The subject's own topic."""
        return self.subject_topic
