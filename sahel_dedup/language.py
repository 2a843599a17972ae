def detect(tokens, given): return [(g or "en").split("-")[0] for g in given]
