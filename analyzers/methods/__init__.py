"""Methods that analyzers are built from: signal processing and geometry, one in a file."""
