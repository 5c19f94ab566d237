"""What stands at AWS Batch for a deployment, as data in Amazon's own words."""
