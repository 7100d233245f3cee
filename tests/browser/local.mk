## tests/browser
