"""One module a verb. Workflows take ports, return values, and print nothing."""
