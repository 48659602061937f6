"""The whole city on one machine, from real parts: PostgreSQL, Kafka, Caddy and the five services.

Nothing is installed outside the project's folder and nothing listens beyond loopback.
"""
