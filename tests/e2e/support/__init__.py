"""What tests share: processes, nodes, networks, payments, raw calls, the bench of a slot."""
