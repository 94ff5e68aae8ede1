"""turbostar.orm against plain dicts, which do the same in the most obvious way."""
