"""All SQL of the registry; rows leave as frozen values."""
