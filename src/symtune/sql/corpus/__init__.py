"""SQL corpora: read in any dialect, and abstracted into typed templates."""
