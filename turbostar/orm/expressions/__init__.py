"""What stands in a query: columns, operators, functions, aggregates, cases, windows."""
