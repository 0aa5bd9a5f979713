"""Peer connections, broadcaster, keepalive."""
