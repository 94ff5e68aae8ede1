"""Stock Starlette as the oracle: generated applications and requests, the same answers wanted."""
