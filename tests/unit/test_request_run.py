"""A case that is ready becomes a run: what is asked for, what is refused, and in which words."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

import pytest

from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_ready import CaseReady
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.run_requested import RunRequested
from genoflow.processors.decision import Effect
from genoflow.processors.ports import Attempt, Deployment, Ports
from genoflow.processors.request_run import REQUEST_RUN, Wanted, resolve
from genoflow.processors.running.names import run_id_of
from tests import qc_facts, run_facts
from tests.fakes import FakeCatalog, FakeClock
from tests.run_facts import CASE, RUN_ID, pipeline, ready, requested
from tests.spec import Spec, heard
from tests.unit.test_configurations import PIPELINE, saved

given = Spec(REQUEST_RUN).given
DOCUMENTS: tuple[Event, ...] = (pipeline(), qc_facts.reference(), qc_facts.profile())


BAM = run_facts.member().model_copy(
    update={"files": (run_facts.member().files[0].model_copy(update={"role": "BAM"}),)}
)


def closed() -> CaseClosed:
    return CaseClosed(case_id=CASE, outcome="cancelled", reason="not needed")


def asks(event: CaseReady, before: CaseReady | None = None) -> Effect:
    """The effect that resolves what this one needs."""
    earlier = before and run_id_of(before.envelope.event_id)
    wanted = Wanted(
        ready=CaseReady(**dict(event)), run_id=run_id_of(event.envelope.event_id),
        supersedes_run_id=earlier,
    )  # fmt: skip
    return Effect("resolve", wanted)


async def resolved(case: CaseReady, *documents: Event, **chosen: Any) -> list[Event]:
    """What is asked for when these documents are published."""
    catalog = FakeCatalog(*(heard(one) for one in documents))
    ports = Ports(clock=FakeClock(), catalog=catalog, deployment=Deployment(**chosen))
    attempt = Attempt(UUID(int=1), 1, ports, lambda *_: None)
    return [*await resolve(Wanted(ready=case, run_id=RUN_ID), attempt)]


def test_a_case_is_asked_for_once_each_time_that_it_is_ready() -> None:
    first, second = heard(ready(1)), heard(ready(2))
    given().when(first).then().then_effects(asks(first))
    given(first).when(first).then_nothing()
    given(first, second).when(first).then_nothing()
    given(first).when(second).then().then_effects(asks(second, before=first))


def test_nothing_is_asked_of_a_case_that_is_closed() -> None:
    given(closed()).when(ready()).then_nothing()
    given(ready(1), closed()).when(ready(2)).then_nothing()


def test_a_run_has_the_same_id_whoever_computes_it() -> None:
    event = UUID("05aee22c-adb8-5341-9835-189106469463")
    assert run_id_of(event) == run_id_of(event) != run_id_of(RUN_ID)
    assert run_id_of(event).version == 5


async def test_the_project_of_the_order_stands_in_the_request() -> None:
    for project in ("P1", None):
        [said] = await resolved(ready(project_id=project), *DOCUMENTS)
        assert isinstance(said, RunRequested)
        assert said.project_id == project


async def test_the_newest_editions_stand_in_the_request_with_their_content() -> None:
    [said] = await resolved(ready(), *DOCUMENTS)
    digest = hashlib.sha256(b'{"ploidy":2}').hexdigest()
    files = qc_facts.reference().files
    assert said == requested(reference_files=files, parameters_sha256=digest)
    newer = pipeline("2", parameters_json='{"ploidy":1}')
    [said] = await resolved(ready(), *DOCUMENTS, newer, results_bucket="elsewhere")
    assert (said.pipeline_version, said.parameters_json) == ("2", '{"ploidy":1}')  # type: ignore[attr-defined]
    assert said.bucket == "elsewhere"  # type: ignore[attr-defined]


async def test_what_the_order_names_goes_before_what_the_assay_has() -> None:
    named = pipeline(document_id="other", assays=("panel",))
    case = ready(pipeline="other", target_set="exome")
    [said] = await resolved(case, *DOCUMENTS, named, qc_facts.target_set())
    assert (said.pipeline, said.target_set, said.target_set_version) == ("other", "exome", "1")  # type: ignore[attr-defined]


async def test_a_configuration_is_laid_over_what_the_pipeline_says() -> None:
    documents = (PIPELINE, *DOCUMENTS[1:], saved(), saved({"ploidy": 3}, version="2"))
    [said] = await resolved(ready(configuration="c1"), *documents)
    assert isinstance(said, RunRequested)
    assert (said.parameters_json, said.configuration, said.configuration_version) == (
        '{"ploidy":3}', "c1", "2",
    )  # fmt: skip
    [plain] = await resolved(ready(), *documents)
    assert isinstance(plain, RunRequested)
    assert (plain.parameters_json, plain.configuration) == ('{"ploidy":2}', None)


@pytest.mark.parametrize(
    ("case", "documents", "words"),
    [
        (ready(), DOCUMENTS[1:], "no pipeline is published for its assay 'wgs'"),
        (ready(pipeline="x"), DOCUMENTS, "names the pipeline 'x', and it is not published"),
        (ready(reference="hg19"), DOCUMENTS, "names the reference 'hg19', and none of that name"),
        (ready(target_set="exome"), DOCUMENTS, "names the target set 'exome', and none"),
        (ready(qc_profile="x"), DOCUMENTS, "names the QC profile 'x', and it is not published"),
        (ready(), DOCUMENTS[:2], "no QC profile is published for its assay 'wgs'"),
        (ready(configuration="c1"), DOCUMENTS, "the configuration 'c1', and nobody has saved"),
        (
            ready(configuration="c1"), (PIPELINE, *DOCUMENTS[1:], saved({"ploidy": "x"})),
            "germline 1 does not take it (ploidy: is 'x', and integer",
        ),
        (
            ready(material="BAM", members=[BAM]), DOCUMENTS,
            "its files are BAM, and the pipeline germline 1 takes",
        ),
        (
            ready(kind="trio", members=[run_facts.member(role="proband")]), DOCUMENTS,
            "is a trio case, and the pipeline germline 1 takes single",
        ),
    ],
)  # fmt: skip
async def test_what_cannot_be_run_waits_for_a_person_with_the_reason_and_the_way_on(
    case: CaseReady, documents: tuple[Event, ...], words: str
) -> None:
    with pytest.raises(Parked) as caught:
        await resolved(case, *documents)
    assert str(caught.value).startswith("case C1: ")
    assert words in str(caught.value)
    assert "genoflow parked requeue" in str(caught.value)
