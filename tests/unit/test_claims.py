"""Samples that files name, against the sheet of the run that they name."""

from __future__ import annotations

from typing import Any

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.sample_claim_withdrawn import SampleClaimWithdrawn
from genoflow.events.sample_claimed import SampleClaimed
from genoflow.events.sample_listed import SampleListed
from genoflow.events.sample_unlisted import SampleUnlisted
from genoflow.processors.check_claims import CHECK_CLAIMS, SAMPLES_AT_ONCE, Tell, tell
from genoflow.processors.headlines import headline_of, subjects_of
from genoflow.processors.tell_claims import TELL_CLAIMS
from genoflow.projections.asking import file as files
from genoflow.projections.asking import sample as samples
from genoflow.projections.asking import sequencing
from genoflow.projections.samples import LISTED, UNLISTED, SampleRow, Samples
from tests import qc_facts as facts
from tests.partition import Partition
from tests.sequencing import ATTACHED, ROWS, RUN, STARTED, amended
from tests.spec import Spec, heard
from tests.wishes import attempt

telling, checking = Spec(TELL_CLAIMS).given, Spec(CHECK_CLAIMS).given
STRANGER = facts.SAMPLE  # the sheet of the run holds A, B and F
WITH_STRANGER = (*ROWS, ROWS[0].model_copy(update={"sample_id": STRANGER, "library_id": "X"}))


def landed(read_set: str | None = "RS", version: str = "1", **fields: Any) -> FileLanded:
    known: dict[str, Any] = {
        "bucket": "raw", "object_key": f"{read_set}.R1", "version_id": version, "size_bytes": 10,
        "etag": "e", "last_modified_at": "2026-03-01T10:00:00Z", "sample_id": STRANGER,
        "read_set_id": read_set, "instrument_run_id": RUN, "role": "R1",
    }  # fmt: skip
    return FileLanded(**known | fields)


def of(file: FileLanded) -> SampleClaimed:
    return SampleClaimed(**{name: getattr(file, name) for name in SampleClaimed.model_fields})


def claimed(sample_id: str = STRANGER) -> SampleClaimed:
    return of(landed(sample_id=sample_id))


def withdrawn(read_set: str = "RS") -> SampleClaimWithdrawn:
    return SampleClaimWithdrawn(instrument_run_id=RUN, sample_id=STRANGER, read_set_id=read_set)


def verdict(kind: type[Any], revision: int = 1, handed_to: str | None = None) -> Any:
    return kind(
        instrument_run_id=RUN, sample_id=handed_to, claimed_sample_id=STRANGER,
        sheet_revision=revision,
    )  # fmt: skip


async def said_after(*events: Event) -> list[Event]:
    """All that is said in the course of these, each effect being done at once."""
    partition = Partition(CHECK_CLAIMS)
    said: list[Event] = []
    done: set[Any] = set()
    for event in events:
        partition.put(event if event.has_envelope else heard(event))
        partition.work()
        for effect in partition.open_effects:
            if effect.effect_id not in done:
                done.add(effect.effect_id)
                said += await tell(Tell(**effect.arguments), attempt())
    return said


# -- the hop


def test_a_run_is_told_once_of_a_sample_whose_files_name_it() -> None:
    file = landed()
    telling().when(file).then(of(file))
    telling(file).when(landed(object_key="RS.R2", role="R2")).then_nothing()
    telling(file).when(file).then_nothing()
    other = landed(instrument_run_id="RUN2")
    telling(file).when(other).then(of(other))


def test_a_file_that_names_no_run_claims_nothing() -> None:
    telling().when(landed(instrument_run_id=None)).then_nothing()


def test_what_demultiplexing_made_is_of_its_sheet() -> None:
    made = facts.registered("RS", instrument_run_id=RUN, demultiplex_attempt=1)
    telling(made).when(landed()).then_nothing()
    sent = facts.registered("RS")
    telling(sent).when(landed()).then(of(landed()))


def test_a_claim_is_withdrawn_with_its_last_read_set() -> None:
    one, two = landed("A"), landed("B")
    gone_a, gone_b = facts.invalidated("A"), facts.invalidated("B")
    telling(one, two).when(gone_a).then_nothing()
    telling(one, two, gone_a).when(gone_b).then(withdrawn("B"))
    telling(one, gone_a).when(gone_a).then_nothing()
    telling(gone_a).when(one).then_nothing()
    loose = landed(None)
    telling(one, loose).when(gone_a).then_nothing()


# -- the verdict


async def test_a_sample_that_the_sheet_does_not_hold_is_told_to_it_and_to_the_run() -> None:
    said = await said_after(ATTACHED, claimed())
    assert said == [verdict(SampleUnlisted), verdict(SampleUnlisted, handed_to=STRANGER)]
    assert [(one.topic, one.key) for one in said] == [
        (topics.SEQUENCING_RUN.name, RUN), (topics.SAMPLE.name, STRANGER),
    ]  # fmt: skip
    [listed, _] = await said_after(ATTACHED, claimed("A"))
    assert isinstance(listed, SampleListed)


async def test_a_file_before_the_sheet_is_judged_when_the_sheet_comes() -> None:
    assert await said_after(claimed()) == []
    said = await said_after(claimed(), ATTACHED)
    assert said == await said_after(ATTACHED, claimed())


async def test_an_amended_sheet_says_only_what_it_changes() -> None:
    same, held = amended(2), amended(3, WITH_STRANGER)
    before = [ATTACHED, claimed()]
    told = await said_after(*before)
    assert await said_after(*before, same) == told
    assert (await said_after(*before, same, held))[2:] == [
        verdict(SampleListed, 3), verdict(SampleListed, 3, STRANGER),
    ]  # fmt: skip
    back = (await said_after(*before, held, amended(4)))[4:]
    assert back[0] == verdict(SampleUnlisted, 4)
    late = await said_after(*before, held, same)  # an older revision says nothing any more
    assert len(late) == 4


async def test_a_repetition_and_a_withdrawn_claim_say_nothing() -> None:
    claim = heard(claimed())
    told = await said_after(ATTACHED, claim)
    assert await said_after(ATTACHED, claim, ATTACHED, claim) == told
    gone = heard(withdrawn())
    assert await said_after(ATTACHED, claim, gone, claim, amended(2, WITH_STRANGER)) == told


def test_a_full_flow_cell_of_strangers_is_told_in_parts() -> None:
    many = [heard(claimed(f"Z{n}")) for n in range(SAMPLES_AT_ONCE + 1)]
    opened = checking(*many).when(ATTACHED)._opened
    assert [len(one.arguments["sample_ids"]) for one in opened] == [SAMPLES_AT_ONCE, 1]


# -- how it is seen


def test_it_is_told_by_sample_and_by_run_without_free_text() -> None:
    told = verdict(SampleUnlisted)
    assert subjects_of(told) == (RUN, STRANGER)
    line = headline_of(topics.SEQUENCING_RUN, told)
    assert STRANGER in line
    assert RUN in line


def test_a_sample_says_so_until_a_sheet_holds_it_or_its_files_count_no_more() -> None:
    handed = heard(verdict(SampleUnlisted, handed_to=STRANGER))
    story = [heard(facts.registered("RS")), heard(landed()), handed]
    assert f"is not on the sheet of run {RUN}" in sentences(story)
    listed = heard(verdict(SampleListed, 2, STRANGER))
    assert "sheet of run" not in sentences([*story, listed])
    assert "sheet of run" not in sentences([*story, heard(facts.invalidated("RS"))])


def test_the_row_of_a_sample_stands_as_it_is_told() -> None:
    first, second = landed(), landed("RS2", instrument_run_id="OTHER")
    handed = verdict(SampleUnlisted, handed_to=STRANGER)
    story = [facts.registered("RS"), facts.registered("RS2"), first, second, handed]
    listed = verdict(SampleListed, handed_to=STRANGER).model_copy(
        update={"instrument_run_id": "OTHER"}
    )
    assert standing(story) == (UNLISTED, RUN)
    assert standing([*story, listed]) == (UNLISTED, RUN)  # of one run, whatever another lists
    assert standing([*story, listed, facts.invalidated("RS")]) == (LISTED, "OTHER")
    assert standing([*story, verdict(SampleListed, 2, STRANGER)]) == (LISTED, RUN)
    assert standing([*story, facts.invalidated("RS")]) == (None, None)


def standing(story: list[Event]) -> tuple[str | None, str | None]:
    """What the newest row says, which is what `why` says of the same story."""
    partition, model = Partition(TELL_CLAIMS), Samples()
    partition.put(*map(heard, story))
    state, rows = model.begin(STRANGER), list[SampleRow]()
    for record in partition.records:
        rows += [one for one in model.project(state, record) if isinstance(one, SampleRow)]
    row = rows[-1]
    told = sentences([heard(one) for one in story])
    assert (row.sheet_standing == UNLISTED) == ("is not on the sheet" in told)
    return row.sheet_standing, row.sheet_run_id


def sentences(story: list[Event]) -> str:
    return " ".join(one.says for one in samples.why(samples.sample_of(STRANGER, story)))


def test_a_file_says_so() -> None:
    file = heard(landed())
    handed = heard(verdict(SampleUnlisted, handed_to=STRANGER))
    known: files.Files = {}
    name = files.take(known, topics.SAMPLE, file)
    files.compare(known, [file, handed])
    assert f"names run {RUN}, whose sheet (revision 1)" in files.why(known[name]).says
    assert files.facts(known[name])["unlisted_in"] == RUN
    files.compare(known, [file, handed, heard(verdict(SampleListed, 2, STRANGER))])
    assert "sheet" not in files.why(known[name]).says


def test_a_run_names_its_strangers_until_they_are_listed_or_withdrawn() -> None:
    story: list[Event] = [STARTED, ATTACHED, heard(verdict(SampleUnlisted))]
    run = sequencing.sequencing_run_of(RUN, story)
    [answer] = sequencing.strangers(run)
    assert f"named by files of {STRANGER}" in answer.says
    assert sequencing.facts(run)["samples_unlisted"] == [STRANGER]
    for after in (verdict(SampleListed, 2), withdrawn()):
        later = sequencing.sequencing_run_of(RUN, [*story, heard(after)])
        assert sequencing.strangers(later) == []
