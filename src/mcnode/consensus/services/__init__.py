"""The gRPC services of the node."""
