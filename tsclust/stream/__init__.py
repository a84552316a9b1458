"""Recordings scored as they arrive in Kafka: messages -> series -> verdicts -> messages."""
