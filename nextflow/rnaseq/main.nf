// From reads of RNA to fragments and TPM of each transcript and gene. Reads are aligned to the
// transcripts of an annotation: what it does not know is not found.
//
// --samples   a table: sample, read_set, r1, r2; one row a read set
// --fasta     the reference
// --gtf       the annotation of this reference
// --case_id, --python, --outdir as in germline
nextflow.enable.dsl = 2

include { needed; readsOf; rowsOf } from '../modules/samples/main'
include { ALIGN } from '../modules/align/main'
include { INDEX } from '../modules/index/main'
include { QUANTIFY } from '../modules/quantify/main'
include { REPORT } from '../modules/report/main'
include { TRANSCRIPTS } from '../modules/transcripts/main'

workflow {
    rows = rowsOf(['r1'])
    TRANSCRIPTS(needed('fasta'), needed('gtf'))
    index = INDEX(TRANSCRIPTS.out.sequences)
    QUANTIFY(ALIGN(readsOf(rows), index).groupTuple(), TRANSCRIPTS.out.genes)
    REPORT(QUANTIFY.out.values.collect())
}
