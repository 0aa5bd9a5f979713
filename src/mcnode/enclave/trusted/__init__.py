"""The trusted process: the only place where transactions are in the clear."""
