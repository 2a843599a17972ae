"""From scored pairs to stories."""
