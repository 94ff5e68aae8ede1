"""`turbostar record`: requests that are really sent, written as a request file."""
