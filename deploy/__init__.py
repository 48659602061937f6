"""How Sunshine Sanwu is run: locally, on one server, on a cluster."""
