"""What is compiled and laid beside Nextflow's jars, so that it says what its tasks do."""
