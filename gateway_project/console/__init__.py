"""The web console: one file per group of pages, thin; what they change goes by administration."""
