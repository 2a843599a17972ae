"""An Airflow DAG: every hour, new files of articles into an index, and all stories into Parquet.

pip install sahel-dedup apache-airflow
Put this file and story_tasks.py into the folder of the DAGs, and set STORIES to a folder with a
folder "incoming" in it.
"""

import os
from datetime import datetime, timedelta

import story_tasks
from airflow.sdk import dag, task

FOLDER = os.environ["STORIES"]


# One process writes an index, so runs take turns.
@dag(
    schedule="@hourly",
    start_date=datetime(2025, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
)
def stories() -> None:
    """Group the files that came in."""

    @task
    def ingest() -> int:
        return story_tasks.ingest(f"{FOLDER}/incoming", f"{FOLDER}/done", f"{FOLDER}/news.index")

    @task
    def export(count: int) -> None:
        print(f"{count} articles came in")
        story_tasks.export(f"{FOLDER}/news.index", f"{FOLDER}/stories.parquet")

    export(ingest())


stories()
