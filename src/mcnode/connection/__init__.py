"""URIs, TLS, attested sessions, auth tokens, retries."""
