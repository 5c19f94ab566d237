"""The vocabulary of the lab: facts in the past tense, their envelope, their codec and their log."""
