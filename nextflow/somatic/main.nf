// From reads of a tumour and of its normal to the variants that the tumour alone has: SOMATIC in
// the file, beside what either inherited.
//
// --samples   a table: sample, read_set, r1, r2, alignment, and role (tumour or normal) where there
//             are no --roles; one row a read set
// --roles     a table: sample, role
// --fasta     the reference
// --bed       the regions; empty for all of it
// --case_id, --python, --outdir as in germline
nextflow.enable.dsl = 2

include {
    alignmentsOf; inOrder; needed; readsOf; regionsOf; rolesOf; rowsOf
} from '../modules/samples/main'
include { ALIGN } from '../modules/align/main'
include { COMPARE } from '../modules/compare/main'
include { COVERAGE } from '../modules/coverage/main'
include { INDEX } from '../modules/index/main'
include { NORMALISE } from '../modules/normalise/main'
include { QC } from '../modules/qc/main'
include { REPORT } from '../modules/report/main'
include { SOMATIC } from '../modules/somatic/main'
include { SORT } from '../modules/sort/main'
include { TAKE } from '../modules/take/main'

workflow {
    rows = rowsOf(['r1', 'alignment'])
    (fasta, bed, roles) = [needed('fasta'), regionsOf(), rolesOf(rows)]
    index = INDEX(fasta)
    sorted = SORT(ALIGN(readsOf(rows), index).mix(TAKE(alignmentsOf(rows), index)).groupTuple())
    coverages = COVERAGE(sorted, bed)
    QC(sorted)
    NORMALISE(SOMATIC(inOrder(sorted, 1), inOrder(sorted, 2), index, bed, roles), fasta)
    compared = COMPARE(NORMALISE.out.variants, 'tumour-normal', roles)
    REPORT(coverages.mix(QC.out.values, compared, NORMALISE.out.values).collect())
}
