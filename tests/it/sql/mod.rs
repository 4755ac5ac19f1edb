//! The SQL rooms against a real database.
