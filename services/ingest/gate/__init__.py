"""The gate: what is malformed is refused, what does not add up is told; pure."""
