"""The house's own rules: what is asked of any file, whatever its format."""

from __future__ import annotations

from genoflow.processors.validation.rules import Rule, Severity

EMPTY = Rule(
    "file-empty", Severity.ERROR, "",
    "a file has bytes; FASTQ and SAM alone may have none",
    "send it again, or invalidate its read set if there is nothing to send",
    "a VCF of 0 bytes", kind="empty",
)  # fmt: skip
UNKNOWN_FORMAT = Rule(
    "file-format-unknown", Severity.ERROR, "",
    "its first bytes are those of FASTQ, SAM, BAM, CRAM, VCF, BCF or of an index of these",
    "send it in one of these formats, as it is or compressed by gzip or bgzip",
    "a ZIP archive", kind="not this format",
)  # fmt: skip
OTHER_FORMAT = Rule(
    "file-not-its-format", Severity.ERROR, "",
    "it has the format that its role asks for",
    "send the file that its role asks for, or send it under its own role",
    "a VCF that was sent as R1", kind="not this format",
)  # fmt: skip
OTHER_BYTES = Rule(
    "file-checksum-mismatch", Severity.ERROR, "",
    "each checksum that was declared is that of its bytes",
    "send it again; if it differs again, compute the checksum where the file was made",
    "one bit of it is turned after `md5sum` was run", kind="checksum mismatch",
)  # fmt: skip
OTHER_SIZE = Rule(
    "file-size-changed", Severity.ERROR, "",
    "it has as many bytes as when it landed",
    "send it again",
    "a longer file is put under its name before it is read", kind="gone",
)  # fmt: skip
GONE = Rule(
    "file-gone", Severity.ERROR, "",
    "the version that landed is there to be read",
    "send it again",
    "it is deleted before it is read", kind="gone",
)  # fmt: skip
NO_READS = Rule(
    "file-without-reads", Severity.ERROR, "",
    "a file of a read set holds reads, unless demultiplexing counted none",
    "send it again, or invalidate its read set if there is nothing to send",
    "a BAM with a header alone, which was sent as the reads of a sample", kind="empty",
)  # fmt: skip
READER_DIED = Rule(
    "validator-died", Severity.ERROR, "",
    "the process that reads a file comes to its end within its memory and its time",
    "try again on a machine with more memory; if it dies again, report the file's first "
    "megabyte and this message",
    "the process is killed while it reads", kind="unreadable",
)  # fmt: skip

RULES = (
    EMPTY, UNKNOWN_FORMAT, OTHER_FORMAT, OTHER_BYTES, OTHER_SIZE, GONE, NO_READS, READER_DIED,
)  # fmt: skip
