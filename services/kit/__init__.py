"""Plumbing: the only code that touches the Kafka and PostgreSQL drivers. It knows no service and no business."""
