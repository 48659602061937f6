"""Mutation testing: is a small change of the code seen by a test? docs/testing.md tells how and how well."""
