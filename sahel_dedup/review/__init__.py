"""Review of stories by people: pairs and stories in a browser, answers in a file."""
