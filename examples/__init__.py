"""Applications written as users write them, with recorded requests."""
