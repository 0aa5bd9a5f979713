"""Keys, signatures, commitments, ring signatures, range proofs, boxes, Noise."""
