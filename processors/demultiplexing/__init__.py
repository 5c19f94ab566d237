"""From a mirrored run to files of reads: which program tells them apart, and what it leaves."""
