"""All SQL of ingest; rows leave as frozen values."""
