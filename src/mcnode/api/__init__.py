"""Generated gRPC modules and the converters to our types."""
