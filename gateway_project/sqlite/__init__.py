"""Django's SQLite backend with one gate in front of every write."""
