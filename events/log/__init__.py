"""The event log: one port, two adapters (Kafka and memory), one contract that both pass."""
