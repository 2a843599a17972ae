"""``python -m sahel_dedup``: the command line without the installed script."""

from sahel_dedup.cli import app

if __name__ == "__main__":
    app(prog_name="python -m sahel_dedup")
