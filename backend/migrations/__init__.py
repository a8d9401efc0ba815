"""How the database got its tables: Alembic, on SQLite and PostgreSQL."""
