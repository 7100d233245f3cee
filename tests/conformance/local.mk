## tests/conformance
