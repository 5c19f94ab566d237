// Variants that were called elsewhere: the samples of a case in one file, each alternate in a
// record of its own, indels as far left as they go, packed with bgzip, indexed and counted.
//
// --samples   a table: sample, read_set, variants (VCF or BCF, packed or not); one row a file
// --fasta     the reference, whose bases each record has to name
// --bed       the regions; empty for all of it
// --case_id, --python, --outdir as in germline
nextflow.enable.dsl = 2

include { needed; regionsOf; rowsOf } from '../modules/samples/main'
include { GATHER } from '../modules/gather/main'
include { NORMALISE } from '../modules/normalise/main'
include { REPORT } from '../modules/report/main'

workflow {
    rows = rowsOf(['variants'])
    gathered = GATHER(
        Channel.value(rows.collect { it.sample }),
        Channel.value(rows.collect { file(it.variants, checkIfExists: true) }),
        regionsOf()
    )
    NORMALISE(gathered, needed('fasta'))
    REPORT(NORMALISE.out.values)
}
