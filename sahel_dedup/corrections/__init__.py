"""What people say of pairs of articles, and how stories follow it."""
