## tests/lint
