"""Failures told apart: by what a failed run or task left, whose hand mends it, and in which words.

One table. A rule is asked for by its name where the place that found the fault knows it; else the
first one that fits counts, so what is written in words stands before what a code alone suggests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from genoflow.events.errors import Parked, Retry
from genoflow.events.failure import EVIDENCE_MAX
from genoflow.processors.running.manifest import Fault

LINE_CHARACTERS_MAX = 300  # of evidence: what stands on a screen without scrolling aside
TAIL_LINES_MAX = 8  # of what was written last
SIGNALS_FROM = 128  # as shells say it: 128 and the number of the signal
ASK = "ask whoever runs the pipelines"


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is to go by."""

    reason_code: str = ""  # of RunFailed
    exit_code: int | None = None
    signal: str | None = None
    rule: str | None = None  # where it is known which one it is
    reason: str = ""  # what the finder says
    lines: Sequence[str] = ()  # what a program wrote last
    is_away: bool = False  # something that it needs did not answer


@dataclass(frozen=True, slots=True)
class Rule:
    """What fits one kind of failure, and what is said of it; one part that fits is enough."""

    name: str
    failure_class: str
    may_retry: bool  # the same again may end otherwise, though nobody has mended anything
    sentence: str
    words: re.Pattern[str] | None = None  # in a line of what was written
    exit_codes: tuple[int, ...] = ()
    signals: tuple[str, ...] = ()
    reason_codes: tuple[str, ...] = ()
    away: bool = False

    def line(self, seen: Seen) -> str | None:
        """The line that its words are found in."""
        if self.words is None:
            return None
        found = (one for one in (*seen.lines, seen.reason) if self.words.search(one))
        return next(found, None)

    def fits(self, seen: Seen) -> bool:
        """Whether it is of this kind."""
        marks = (
            self.words is not None and self.line(seen) is not None,
            seen.exit_code is not None and seen.exit_code in self.exit_codes,
            seen.signal is not None and seen.signal in self.signals,
            seen.reason_code in self.reason_codes and (seen.is_away or not self.away),
        )
        return any(marks)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which rule it is, and what shows it."""

    rule: Rule
    evidence: tuple[str, ...]


def _any(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE)


RULES: tuple[Rule, ...] = (
    Rule(
        "disk full", "infrastructure", False,
        "A disk ran full while the run was working. Your sample and your order are fine: have "
        "space made by whoever runs the machines, then run it again.",
        _any("no space left on device", "disk quota exceeded", "file size limit exceeded"),
        exit_codes=(153,), signals=("SIGXFSZ",),
    ),
    Rule(
        "container program absent", "infrastructure", False,
        "A step is to run in a container, and the machine has no program for containers. "
        f"Nothing is wrong with your sample: {ASK} to install it, then run it again.",
        _any(
            r"\b(docker|podman|singularity|apptainer|charliecloud|sarus|shifter): "
            r"(command )?not found",
            r"cannot connect to the docker daemon",
        ),
    ),
    Rule(
        "container registry busy", "infrastructure", True,
        "The place that containers are fetched from did not answer. It is tried again by itself.",
        _any(r"toomanyrequests\b", r"pull.*(i/o timeout|TLS handshake timeout)"),
    ),
    Rule(
        "container absent", "pipeline", False,
        "A step names a container that cannot be fetched. Nothing is wrong with your sample: "
        f"{ASK} to put the container there or to publish the pipeline anew, then run it again.",
        _any(
            r"cannotpullcontainer", r"pull access denied", r"manifest unknown",
            r"manifest for \S+ not found", r"unable to find image", r"no such image",
            r"errimagepull", r"imagepullbackoff", r"failed to pull (singularity )?image",
        ),
    ),
    Rule(
        "credentials refused", "infrastructure", False,
        "A service refused the keys that GenoFlow has. Nothing is wrong with your sample: have "
        "the keys or their rights mended by whoever runs the machines, then run it again.",
        _any(
            r"access ?denied", r"invalidaccesskeyid", r"signaturedoesnotmatch", r"expiredtoken",
            r"unrecognizedclientexception", r"not authorized to perform", r"authfailure",
            r"unable to (locate|load) (aws )?credentials", r"invalidclienttokenid",
        ),
    ),
    Rule(
        "queue disabled", "infrastructure", False,
        "The queue that runs wait in has been switched off. Nothing is wrong with your sample: "
        "have it switched on by whoever runs the machines, then run it again.",
        _any(r"queue\b.{0,200}\b(disabled|not (enabled|valid))", r"\bINVALID\b.{0,80}queue"),
    ),
    Rule(
        "asked too often", "infrastructure", True,
        "A service had more requests than it takes. It is tried again by itself.",
        _any(
            r"throttling", r"toomanyrequestsexception", r"requestlimitexceeded", r"slowdown",
            r"rate exceeded", r"\b429\b.{0,40}too many requests",
        ),
    ),
    Rule(
        "host taken away", "infrastructure", True,
        "The machine was taken away in the middle of the run, as cheap machines are. It is tried "
        "again by itself.",
        _any(r"host ec2", r"spot (instance )?(interruption|reclaim|terminat)"),
    ),
    Rule(
        "out of memory", "infrastructure", True,
        "A step needed more memory than the machine had. It is tried again by itself; where that "
        f"does not help, {ASK} to give that step more.",
        _any(
            r"\boutofmemoryerror\b", r"cannot allocate memory", r"\bmemoryerror\b", r"oom[- ]kill",
            r"\boutofmemory\b", r"killed process",
        ),
        exit_codes=(137,), signals=("SIGKILL",), reason_codes=("out of memory",),
    ),
    Rule(
        "input cut short", "data", False,
        "A file that came in is cut short or damaged. Have it sent again, then run it again.",
        _any(
            r"unexpected end of (file|stream)", r"truncated (file|input)", r"file (is )?truncated",
            r"eof marker is absent", r"unexpected eof", r"invalid compressed data",
            r"crc (check|error)", r"not a gzip", r"truncated record",
        ),
    ),
    Rule(
        "output cut short", "pipeline", False,
        "The pipeline said that all went well, and a file of results is cut short. Nothing of it "
        f"is used. Nothing is wrong with your sample: {ASK}, then run it again.",
        reason_codes=("output damaged",),
    ),
    Rule(
        "output missing", "pipeline", False,
        "The pipeline said that all went well, and left no file of results that it owes. Nothing "
        f"is wrong with your sample: {ASK}, then run it again.",
        _any(r"missing output file"),
    ),
    Rule(
        "program absent", "infrastructure", False,
        "A step needs a program that is not on the machine. Nothing is wrong with your sample: "
        f"{ASK} to install it, then run it again.",
        _any(r"command not found", r"no module named", r"modulenotfounderror"),
        exit_codes=(126, 127),
    ),
    Rule(
        "parameters refused", "lab", False,
        "The run was to have settings that its pipeline does not take. Nothing was computed: have "
        "them mended by whoever published the pipeline or chose the settings, then run it again.",
        _any(r"validation of (pipeline )?parameters failed", r"invalid (input )?parameter"),
    ),
    Rule(
        "reference missing", "lab", False,
        "The reference genome is not where it was published. Nothing was computed: have it put "
        "there again by whoever publishes references, then run it again.",
    ),
    Rule(
        "reference at odds", "lab", False,
        "The reference, the regions and the known sites that the order names are not of one "
        "build. Nothing was computed: have them published so that they fit, or order it with "
        "others, then run it again.",
    ),
    Rule(
        "reads of another build", "data", False,
        "The file that was sent was made with another reference genome than was ordered. Nothing "
        "was computed: send it made with the right one, or order the case with the other one, "
        "then run it again.",
    ),
    Rule(
        "launch refused", "pipeline", False,
        "The pipeline is not on the machine as it was published. Nothing was computed: "
        f"{ASK} to install it or to publish it anew, then run it again.",
        reason_codes=("refused by the launcher",),
    ),
    Rule(
        "store away", "infrastructure", True,
        "The store of files did not answer for several minutes. It is tried again by itself.",
        reason_codes=("input missing", "manifest missing", "manifest incomplete"), away=True,
    ),
    Rule(
        "service away", "infrastructure", True,
        "Something that the run needs was away for a while. It is tried again by itself.",
        exit_codes=(75,),
    ),
    Rule(
        "input gone", "data", False,
        "A file that was received is no longer there, or is another one. Have it sent again, then "
        "run it again.",
        reason_codes=("input missing",),
    ),
    Rule(
        "took too long", "infrastructure", False,
        "The run was not done in the time that it may take, and was ended. Nothing is wrong with "
        f"your sample: {ASK}, then run it again.",
        exit_codes=(124,), signals=("SIGALRM", "SIGXCPU"), reason_codes=("out of time",),
    ),
    Rule(
        "lost", "infrastructure", True,
        "The machine that the run worked on is gone. It is tried again by itself.",
        reason_codes=("lost",),
    ),
    Rule(
        "told to end", "infrastructure", True,
        "The run was told to end before it was done, as when a machine is shut down. It is tried "
        "again by itself.",
        exit_codes=(129, 130, 143), signals=("SIGTERM", "SIGINT", "SIGHUP"),
    ),
    Rule(
        "program crashed", "pipeline", False,
        f"A program of the pipeline crashed. {ASK.capitalize()}: the evidence shows which one.",
        exit_codes=(132, 134, 135, 136, 139),
        signals=("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL"),
    ),
    Rule(
        "results incomplete", "pipeline", False,
        "The pipeline ended and did not leave every file of results that it owes. Nothing is "
        f"wrong with your sample: {ASK}, then run it again.",
        reason_codes=("manifest missing", "manifest incomplete"),
    ),
    Rule(
        "step failed", "pipeline", False,
        "A step of the pipeline failed, and by what it wrote nobody can tell more. "
        f"{ASK.capitalize()}: the evidence shows its last words.",
    ),
)  # fmt: skip
NAMED = {one.name: one for one in RULES}
UNKNOWN = RULES[-1]
DISAGREEMENTS = {
    "reads": "reads of another build",
    "targets": "reference at odds",
    "known sites": "reference at odds",
    "reference": "reference missing",
    "parameters": "parameters refused",
}


def classified(seen: Seen) -> Verdict:
    """The rule that fits, and the lines that show it: of all that is known, at most a screen."""
    rule = NAMED.get(seen.rule or "") or next((one for one in RULES if one.fits(seen)), UNKNOWN)
    return Verdict(rule, tuple(_evidence(rule, seen))[:EVIDENCE_MAX])


def _evidence(rule: Rule, seen: Seen) -> Iterable[str]:
    if seen.exit_code is not None:
        yield f"exit code {seen.exit_code}"
    if seen.signal is not None:
        yield f"signal {seen.signal}"
    found = rule.line(seen)
    if found is not None:
        yield _cut(found)
    for line in last_lines("\n".join(seen.lines)):
        if line != found:
            yield _cut(line)


def last_lines(text: str) -> list[str]:
    """What was written last, without what is empty."""
    return [line.strip() for line in text.splitlines() if line.strip()][-TAIL_LINES_MAX:]


def _cut(line: str) -> str:
    return line.replace("\x00", "").strip()[:LINE_CHARACTERS_MAX]


def told_apart(error: Parked | Retry) -> Parked | Retry:
    """The same refusal with its kind in its words, where the table knows it."""
    verdict = classified(Seen(reason=str(error)))
    if verdict.rule is UNKNOWN:
        return error
    rule = verdict.rule
    said = f"{error} (by its kind {rule.failure_class}, {rule.name}: {rule.sentence})"
    return Parked(said) if isinstance(error, Parked) else Retry(said)


def judged(fault: Fault, lines: Sequence[str] = ()) -> Fault:
    """The same fault with its class, its evidence and what to do; once told, it stays so."""
    if fault.failure_class is not None:
        return fault
    seen = Seen(
        reason_code=fault.reason_code, exit_code=fault.exit_code, signal=fault.signal,
        rule=fault.rule, reason=fault.reason, lines=(*fault.evidence, *lines),
        is_away=fault.may_pass,
    )  # fmt: skip
    verdict = classified(seen)
    rule = verdict.rule
    return fault.model_copy(
        update={
            "failure_class": rule.failure_class, "rule": rule.name, "advice": rule.sentence,
            "evidence": verdict.evidence, "may_pass": rule.may_retry,
        }
    )  # fmt: skip
