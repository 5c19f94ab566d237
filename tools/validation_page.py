"""docs/validation.md, written from the rules themselves: `python -m tools.validation_page`."""

from __future__ import annotations

from pathlib import Path

from genoflow.events.file_finding import FILE_FINDINGS_MAX
from genoflow.processors.validation.catalogue import CHAPTERS, RULES, Chapter
from genoflow.processors.validation.findings import FINDINGS_PER_RULE_MAX
from genoflow.processors.validation.rules import Rule

PAGE = Path(__file__).resolve().parent.parent / "docs" / "validation.md"
COLUMNS = ("code", "severity", "section", "what is asked", "remedy", "example")
# What would end a cell or a line, or not be seen.
SHOWN = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "|": "\\|"}

INTRO = f"""# What a file is held to

<!-- written by tools/validation_page.py from the rules: change those, then run it -->

Every file that lands for a sample is read once, from its first byte to its last, and held to the
specification of its format. `genoflow validate` does the same with any file, without a server:

```sh
genoflow validate S7.bam S7.bam.bai S7.vcf.gz
genoflow validate --strict --json S7.vcf.gz
genoflow validate --paired S7_R1.fastq.gz S7_R2.fastq.gz
genoflow validate --reference GRCh38.fa S7.cram
```

Exit code 0: all are valid; 1: one is not, or could not be read to its end; 2: the call is wrong,
such as a file that is not there. `-` is standard input. Several files are read at once, one a
core, each in a process with limits of memory and time. The format is found in the bytes; a name
says nothing.

| severity | what it says | what follows |
|---|---|---|
| error | the bytes cannot be trusted, or not be parsed | the file is rejected |
| violation | a "must" of the specification is broken | the file is rejected under `--strict` |
| note | legal, and worth knowing | nothing |

In the flow, `GENOFLOW_STRICT_VALIDATION=true` is what `--strict` is here; `Validated` and
`FileRejected` say by `is_strict` which one held. They carry the worst {FILE_FINDINGS_MAX}
findings and count all. Of each rule the first {FINDINGS_PER_RULE_MAX} findings are kept.

With `--json` each file is one line: `file`, `format`, `version`, `compression`, `size_bytes`,
`valid`, `counts` (`errors`, `violations`, `notes`), `findings` (each with `code`, `severity`,
`where` as `line`, `record` and `byte`, `message` and `remedy`), `md5`, `sha256` and `metrics`.

A code is never changed once it is released. An example is what breaks the rule: of text formats
the text itself, with `\\t` for a tab and `\\n` for a line end; of binary formats what is done to
the bytes.
"""


def page() -> str:
    """The whole page."""
    counted = f"There are {len(RULES)} rules."
    return "\n".join([INTRO, counted, "", *(line for one in CHAPTERS for line in _chapter(one))])


def _chapter(chapter: Chapter) -> list[str]:
    head = f"| {' | '.join(COLUMNS)} |"
    rows = [_row(rule, chapter) for rule in chapter.rules]
    return [
        f"## {chapter.title}", "", chapter.about, "", head, "|---" * len(COLUMNS) + "|", *rows, "",
    ]  # fmt: skip


def _row(rule: Rule, chapter: Chapter) -> str:
    example = _code(rule.example) if chapter.has_text else _text(rule.example)
    example = example if rule.example else "no text at all"
    cells = (
        _code(rule.code), rule.severity.value, _text(rule.section) or "the house's",
        _text(rule.asks), _text(rule.remedy), example,
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _text(text: str) -> str:
    """Words as they are; what Markdown would take for its own is shown."""
    shown = "".join(SHOWN.get(one, one) if one != "\\" else one for one in text)
    return shown.replace("<", "&lt;").replace(">", "&gt;")


def _code(text: str) -> str:
    """A span of code, also of a text that holds its marks."""
    shown = "".join(SHOWN.get(one, one if one.isprintable() else _escaped(one)) for one in text)
    longest = max((len(run) for run in _runs(shown)), default=0)
    mark = "`" * (longest + 1)
    padding = " " if longest else ""
    return f"{mark}{padding}{shown}{padding}{mark}"


def _escaped(one: str) -> str:
    return one.encode("unicode_escape").decode()


def _runs(text: str) -> list[str]:
    return ["`" * len(run) for run in "".join(c if c == "`" else " " for c in text).split()]


def main() -> None:
    """Write the page anew."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
