"""All SQL of publish; rows leave as frozen values."""
