// From reads of a child and its parents to their variants: MENDEL marks what the child does not
// have of them, DENOVO what is new in it.
//
// --samples   a table: sample, read_set, r1, r2, alignment, and role (proband, mother or father)
//             where there are no --roles; one row a read set
// --roles     a table: sample, role
// --fasta     the reference
// --bed       the regions; empty for all of it
// --case_id, --python, --outdir as in germline
nextflow.enable.dsl = 2

include {
    alignmentsOf; inOrder; needed; readsOf; regionsOf; rolesOf; rowsOf
} from '../modules/samples/main'
include { ALIGN } from '../modules/align/main'
include { CALL } from '../modules/call/main'
include { COMPARE } from '../modules/compare/main'
include { COVERAGE } from '../modules/coverage/main'
include { INDEX } from '../modules/index/main'
include { MENDEL } from '../modules/mendel/main'
include { NORMALISE } from '../modules/normalise/main'
include { QC } from '../modules/qc/main'
include { REPORT } from '../modules/report/main'
include { SORT } from '../modules/sort/main'
include { TAKE } from '../modules/take/main'

workflow {
    rows = rowsOf(['r1', 'alignment'])
    (fasta, bed, roles) = [needed('fasta'), regionsOf(), rolesOf(rows)]
    index = INDEX(fasta)
    sorted = SORT(ALIGN(readsOf(rows), index).mix(TAKE(alignmentsOf(rows), index)).groupTuple())
    coverages = COVERAGE(sorted, bed)
    QC(sorted)
    called = CALL(inOrder(sorted, 1), inOrder(sorted, 2), index, bed)
    MENDEL(called, roles, coverages.collect())
    NORMALISE(MENDEL.out.variants, fasta)
    compared = COMPARE(NORMALISE.out.variants, 'trio', roles)
    REPORT(
        coverages.mix(QC.out.values, MENDEL.out.values, compared, NORMALISE.out.values).collect()
    )
}
