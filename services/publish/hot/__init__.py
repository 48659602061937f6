"""Rendered bodies: written once when something changes, answered before anything else runs.

So publish answers with PostgreSQL and Kafka down. One file a path holds the body three times (plain, gzip, brotli).
"""
