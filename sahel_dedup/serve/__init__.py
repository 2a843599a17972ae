"""An index over HTTP: ``sahel-dedup serve``. Clients are in `sahel_dedup.index.remote`."""
