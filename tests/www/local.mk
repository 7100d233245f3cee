## tests/www
