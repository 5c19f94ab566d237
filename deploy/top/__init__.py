"""`genoflow top`: what the lab does at this moment, on one screen and as one document."""
