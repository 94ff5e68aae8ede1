"""Tests of `turbostar bench`."""
