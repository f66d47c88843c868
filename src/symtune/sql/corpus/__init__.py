"""Other people's SQL: read in any dialect, and abstracted into typed templates."""
