"""What the slices of a CRAM file are held to, and the reference that they speak of."""

from __future__ import annotations

from genoflow.processors.validation.rules import Rule, Severity

SECTION = "CRAM 3.1, 8.6 Slice header block"
WRITE_ANEW = "write it anew with the program that made it, or with `samtools view -C`"

SLICE_HEADER = Rule(
    "cram-slice-header", Severity.ERROR, SECTION,
    "A slice header has all its fields, and numbers that can be.",
    "send it again whole, and compare its checksum before and after",
    "a slice header ends within its MD5", "unreadable",
)  # fmt: skip
SLICE_METHOD = Rule(
    "cram-slice-header-method", Severity.VIOLATION, SECTION,
    "A slice header is never compressed.",
    WRITE_ANEW,
    "a slice header is compressed by gzip",
)  # fmt: skip
SLICE_REFERENCE = Rule(
    "cram-slice-reference", Severity.VIOLATION, SECTION,
    "A slice is of the same reference sequence as its container.",
    WRITE_ANEW,
    "a slice of sequence 1 stands in a container of sequence 0",
)  # fmt: skip
SLICE_RANGE = Rule(
    "cram-slice-range", Severity.VIOLATION, "CRAM 3.1, 7 Container header structure",
    "A slice lies within the range of its container.",
    WRITE_ANEW,
    "a slice begins one base before its container",
)  # fmt: skip
SLICE_BLOCKS = Rule(
    "cram-slice-blocks", Severity.ERROR, SECTION,
    "A slice has as many blocks as its header says, and all of them are in the container.",
    "send it again whole, and compare its checksum before and after",
    "a slice header says that the slice has one block more than the container", "unreadable",
)  # fmt: skip
SLICE_LARGE = Rule(
    "cram-slice-large", Severity.NOTE, "",
    "A slice fits into memory with its bases and qualities; of larger ones they are not read.",
    "write it anew with smaller slices: `samtools view -C --output-fmt-option seqs_per_slice=9999`",
    "a slice of 80 MiB decompressed",
)  # fmt: skip
SLICE_CONTENT_IDS = Rule(
    "cram-slice-content-ids", Severity.VIOLATION, SECTION,
    "A slice header lists the content ids of its blocks.",
    WRITE_ANEW,
    "a slice header lists the content id 99, and no block has it",
)  # fmt: skip
SLICE_TAGS = Rule(
    "cram-slice-tags", Severity.VIOLATION, SECTION,
    "What follows in a slice header are tags as in BAM.",
    WRITE_ANEW,
    "a slice header ends with the byte `!`",
)  # fmt: skip
SLICE_MD5 = Rule(
    "cram-slice-md5-without-range", Severity.NOTE, SECTION,
    "The MD5 of a slice without a sequence of its own is zero; others are ignored.",
    "nothing needs to be done; programs ignore it",
    "the slice of unmapped reads has an MD5",
)  # fmt: skip
EMBEDDED = Rule(
    "cram-embedded-reference", Severity.ERROR, SECTION,
    "The block that a slice names as its embedded reference is there, and spans the slice.",
    WRITE_ANEW,
    "a slice header names the block 77 as its reference, and no block has that id", "unreadable",
)  # fmt: skip
EMBEDDED_MD5 = Rule(
    "cram-embedded-md5", Severity.ERROR, SECTION,
    "The MD5 of a slice with an embedded reference is zero, or that of the embedded one.",
    WRITE_ANEW,
    "one byte of the MD5 of a slice with an embedded reference is another", "unreadable",
)  # fmt: skip
REFERENCE_ID = Rule(
    "cram-reference-id", Severity.ERROR, "CRAM 3.1, 7 Container header structure",
    "The reference sequence of a container or slice is -2, -1, or one that the header has.",
    "write it anew with the header that it was made with",
    "a container is of sequence 5, and the header has 2", "unreadable",
)  # fmt: skip
RECORD_COUNT = Rule(
    "cram-record-count", Severity.VIOLATION, "CRAM 3.1, 7 Container header structure",
    "A container says how many records its slices have together.",
    WRITE_ANEW,
    "a container says 71 records, and its slice 70",
)  # fmt: skip
RECORD_COUNTER = Rule(
    "cram-record-counter", Severity.VIOLATION, "CRAM 3.1, 7 Container header structure",
    "The record counter of a container or slice is the number of records before it.",
    "write it anew with `samtools view -C`: `samtools cat` keeps the counters of what it joins",
    "the first container's record counter is 1000",
)  # fmt: skip
LANDMARKS = Rule(
    "cram-landmarks", Severity.VIOLATION, "CRAM 3.1, 7 Container header structure",
    "The landmarks of a container are where its slices begin, counted from the end of its header.",
    WRITE_ANEW,
    "the landmark of a container is one byte behind the beginning of its slice",
)  # fmt: skip
BEYOND = Rule(
    "cram-slice-beyond-reference", Severity.VIOLATION, "CRAM 3.1, 11 Reference sequences",
    "A slice begins within its reference sequence.",
    WRITE_ANEW,
    "a slice begins at 900,000 of a sequence of 5,000 bases",
)  # fmt: skip
REFERENCE_UNAVAILABLE = Rule(
    "reference-unavailable", Severity.NOTE, "CRAM 3.1, 11 Reference sequences",
    "The bases of reads that are differences to a reference are read where it is at hand; nothing "
    "is fetched.",
    "give the FASTA file that it was made with: `genoflow validate --reference FASTA`",
    "reads are differences to a reference, and none was given", "unreadable",
)  # fmt: skip
REFERENCE_DIFFERS = Rule(
    "cram-reference-md5", Severity.ERROR, "CRAM 3.1, 11 Reference sequences",
    "The reference at hand has the MD5 that a slice gives for its range.",
    "give the reference that the file was made with, or make the file with this one",
    "the reference at hand has one other base within a slice", "wrong build",
)  # fmt: skip

RULES: tuple[Rule, ...] = (
    SLICE_HEADER, SLICE_METHOD, SLICE_REFERENCE, SLICE_RANGE, SLICE_BLOCKS, SLICE_LARGE,
    SLICE_CONTENT_IDS, SLICE_TAGS, SLICE_MD5, EMBEDDED, EMBEDDED_MD5, REFERENCE_ID, RECORD_COUNT,
    RECORD_COUNTER, LANDMARKS, BEYOND, REFERENCE_UNAVAILABLE, REFERENCE_DIFFERS,
)  # fmt: skip
