"""What identifies a person does not come in, and the refusal does not repeat it."""

from __future__ import annotations

import pytest

from genoflow.deploy.settings import Settings
from genoflow.events.catalogue import EVENTS
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.processors.intake.privacy import IdentifierFound, PrivacyGuard
from tests.examples import example

GUARD = PrivacyGuard(Settings().person_patterns)


@pytest.mark.parametrize("field", ["sample_id", "object_key", "etag"])
def test_an_identifier_is_refused_by_its_place_and_not_repeated(field: str) -> None:
    event = example(FileLanded, 1).model_copy(update={field: "MRN-0012345"})
    with pytest.raises(IdentifierFound, match=f"FileLanded.{field}: .*opaque reference") as refusal:
        GUARD.check(event)
    assert "0012345" not in str(refusal.value)


@pytest.mark.parametrize("model", EVENTS, ids=lambda model: model.__name__)
def test_ordinary_events_pass(model: type[Event]) -> None:
    GUARD.check(example(model, 1))
