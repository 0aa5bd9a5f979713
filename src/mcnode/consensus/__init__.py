"""The node: Byzantine ledger, transaction manager, services, configuration."""
