"""Review of stories by people: pairs and stories in a browser, and answers in a file."""
