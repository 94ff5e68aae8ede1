"""From one model to another: foreign keys, one to one, many to many, and the way back."""
