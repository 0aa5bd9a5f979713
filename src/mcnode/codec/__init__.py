"""Bytes to messages and back: schema, protobuf, CBOR, digests, base58."""
