"""What the end-to-end tests share: processes, nodes, networks, payments, raw calls."""
