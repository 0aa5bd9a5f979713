"""Quotes, evidence, verifiers and the attested key exchange. Pure."""
