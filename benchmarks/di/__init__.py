"""Dependency injection, against its peers."""
