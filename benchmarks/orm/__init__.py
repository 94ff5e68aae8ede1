"""turbostar.orm and its peers, measured in turns in one process."""
