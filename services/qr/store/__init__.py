"""All SQL of qr; rows leave as frozen values."""
