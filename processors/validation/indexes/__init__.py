"""Index files: BAI, CSI, TBI and CRAI, alone and beside the file that they are of."""
