"""Articles in, rows out: files, frames and mappings."""
