"""The steps of the pipeline: programs that Nextflow starts by their path."""
