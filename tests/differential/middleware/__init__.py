"""Middleware: stock Starlette is the oracle for it as for routes."""
