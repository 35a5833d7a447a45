"""PostgreSQL for who writes all day: many statements for one wait."""
