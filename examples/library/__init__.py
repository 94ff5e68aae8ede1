"""A lending library: readers, books by several authors, copies and loans."""
