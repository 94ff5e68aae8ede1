"""From a query's form to SQL text, in the words of each database."""
