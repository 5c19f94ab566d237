// From reads of a panel to the variants within its targets, and how well each target is covered.
//
// --samples   a table: sample, read_set, r1, r2, alignment; one row a read set
// --fasta     the reference
// --bed       the targets
// --case_id, --python, --outdir as in germline
nextflow.enable.dsl = 2

include { alignmentsOf; inOrder; needed; readsOf; rolesOf; rowsOf } from '../modules/samples/main'
include { ALIGN } from '../modules/align/main'
include { CALL } from '../modules/call/main'
include { COMPARE } from '../modules/compare/main'
include { COVERAGE } from '../modules/coverage/main'
include { INDEX } from '../modules/index/main'
include { NORMALISE } from '../modules/normalise/main'
include { QC } from '../modules/qc/main'
include { REPORT } from '../modules/report/main'
include { SORT } from '../modules/sort/main'
include { TAKE } from '../modules/take/main'
include { TARGETS } from '../modules/targets/main'

workflow {
    rows = rowsOf(['r1', 'alignment'])
    (fasta, bed, roles) = [needed('fasta'), needed('bed'), rolesOf(rows)]
    index = INDEX(fasta)
    sorted = SORT(ALIGN(readsOf(rows), index).mix(TAKE(alignmentsOf(rows), index)).groupTuple())
    coverages = COVERAGE(sorted, bed)
    QC(sorted)
    TARGETS(sorted, bed)
    NORMALISE(CALL(inOrder(sorted, 1), inOrder(sorted, 2), index, bed), fasta)
    compared = COMPARE(NORMALISE.out.variants, 'single', roles)
    REPORT(
        coverages.mix(QC.out.values, TARGETS.out.values, compared, NORMALISE.out.values).collect()
    )
}
