"""All SQL of audit, by what it is about; rows leave as frozen values."""
