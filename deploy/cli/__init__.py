"""`sanwu`, the operators' command: finds the city by SANWU_HOME and calls the services' own commands."""
