"""From text to terms: boilerplate, tokens, languages, the IDF prior and the vocabulary."""
