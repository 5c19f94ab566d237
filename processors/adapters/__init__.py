"""What the ports are in reality: S3 and, later, pysam, Nextflow, Batch and SMTP."""
