"""Block versions, tokens and fees, blocks, signatures, metadata."""
