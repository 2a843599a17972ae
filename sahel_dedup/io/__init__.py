"""Input and output: articles from files, frames and mappings, and rows to files."""
