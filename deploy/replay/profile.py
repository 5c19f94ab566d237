"""Another QC profile in the place of the one that events hold, before they are decided on."""

from __future__ import annotations

from genoflow.deploy.catalog_documents import parse_documents
from genoflow.events.codec import Codec
from genoflow.events.errors import MalformedEvent, Refused
from genoflow.events.event import Event
from genoflow.events.log.recorded import Recorded
from genoflow.events.qc_profile_published import QcProfilePublished
from genoflow.events.qc_requested import QcRequested
from genoflow.events.run_requested import RunRequested
from genoflow.processors.intake.privacy import PrivacyGuard
from genoflow.processors.materials import materials_of
from genoflow.processors.qc_profiles import required_of, required_of_results

# What carries thresholds to those who decide by them. A sequencing run is judged in the effect that
# chooses its profile, so there is no event in which another one could stand.
RESOLVING = frozenset({QcRequested.type(), RunRequested.type()})


def parse_profile(name: str, text: str, guard: PrivacyGuard) -> QcProfilePublished:
    """The one profile of a file, checked as if it were to be published."""
    documents = parse_documents([(name, text)], [], guard)
    profiles = [one for one in documents if isinstance(one, QcProfilePublished)]
    if len(profiles) != 1 or len(documents) != 1:
        raise Refused(f"{name}: holds {len(profiles)} QC profiles; give it one, and nothing else")
    return profiles[0]


class ProfileInPlace:
    """Puts a profile in the place of every version of it that stands in an event."""

    def __init__(self, profile: QcProfilePublished, codec: Codec) -> None:
        self._profile = profile
        self._codec = codec

    def __call__(self, record: Recorded) -> Recorded:
        """The record with this profile; the same record where it holds another one, or none."""
        try:
            if record.type not in RESOLVING:
                return record
            event = record.event
        except MalformedEvent:
            return record  # whoever decides on it says why it is none
        assert isinstance(event, QcRequested | RunRequested)
        if event.profile != self._profile.document_id:
            return record
        value, headers = self._codec.encode(self._with_profile(record, event))
        return Recorded(
            record.topic, record.partition, record.offset, record.timestamp_ms,
            record.key_bytes, value, headers, self._codec,
        )  # fmt: skip

    def _with_profile(self, record: Recorded, event: QcRequested | RunRequested) -> Event:
        profile = self._profile
        fields = dict(event) | {"profile_version": profile.version}
        if isinstance(event, QcRequested):
            thresholds = required_of(profile, event.assay, event.material)
            if not thresholds:
                raise Refused(
                    f"{record.position}: reads are judged by {profile.document_id}, and the one "
                    f"that is to take its place requires nothing of them; give it reads_thresholds"
                )
            fields |= {
                "thresholds": thresholds,
                "profile_sha256": profile.content_sha256,
                "validation": profile.validation,
            }
        else:
            of_files = materials_of(one.role for member in event.members for one in member.files)
            material = of_files[0] if len(of_files) == 1 else ""
            fields["thresholds"] = required_of_results(profile, event.assay, material)
        changed: Event = type(event)(**fields)
        return changed.enveloped(event.envelope)
