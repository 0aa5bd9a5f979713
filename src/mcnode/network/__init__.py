"""A local network of real processes on this machine."""
