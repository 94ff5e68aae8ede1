"""Applications and programs that measure turbostar against stock Starlette."""
