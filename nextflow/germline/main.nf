// From reads or alignments to variants, for small genomes: one machine, pybwa and pysam, no system
// tools. What enters as variants is only gathered, normalised and measured.
//
// --samples   a table: sample, read_set, r1, r2, alignment, variants; one row a read set, and in it
//             reads (r2 empty for single ones), an alignment to this reference (BAM, CRAM), or VCF
// --fasta     the reference
// --bed       the regions; empty for all of it
// --case_id   what the case is called
// --kind      single, tumour-normal or trio
// --roles     a table: sample, role
// --python    the Python that has pybwa and pysam
// --outdir    results stand in <outdir>/<kind of output>/<sample, or _case>/
nextflow.enable.dsl = 2

include {
    alignmentsOf; inOrder; needed; readsOf; regionsOf; rolesOf; rowsOf
} from '../modules/samples/main'
include { ALIGN } from '../modules/align/main'
include { CALL } from '../modules/call/main'
include { COMPARE } from '../modules/compare/main'
include { COVERAGE } from '../modules/coverage/main'
include { GATHER } from '../modules/gather/main'
include { INDEX } from '../modules/index/main'
include { NORMALISE } from '../modules/normalise/main'
include { QC } from '../modules/qc/main'
include { REPORT } from '../modules/report/main'
include { SOMATIC } from '../modules/somatic/main'
include { SORT } from '../modules/sort/main'
include { TAKE } from '../modules/take/main'

workflow {
    rows = rowsOf(['r1', 'alignment', 'variants'])
    (fasta, bed) = [needed('fasta'), regionsOf()]
    given = rows.findAll { it.variants }
    if (given) {
        gathered = GATHER(
            Channel.value(given.collect { it.sample }),
            Channel.value(given.collect { file(it.variants) }),
            bed
        )
        NORMALISE(gathered, fasta)
        REPORT(NORMALISE.out.values)
    } else {
        roles = rolesOf(rows)
        index = INDEX(fasta)
        sorted = SORT(
            ALIGN(readsOf(rows), index).mix(TAKE(alignmentsOf(rows), index)).groupTuple()
        )
        coverages = COVERAGE(sorted, bed)
        QC(sorted)
        (bams, bais) = [inOrder(sorted, 1), inOrder(sorted, 2)]
        called = params.kind == 'tumour-normal'
            ? SOMATIC(bams, bais, index, bed, roles)
            : CALL(bams, bais, index, bed)
        NORMALISE(called, fasta)
        compared = COMPARE(NORMALISE.out.variants, params.kind, roles)
        REPORT(coverages.mix(QC.out.values, compared, NORMALISE.out.values).collect())
    }
}
