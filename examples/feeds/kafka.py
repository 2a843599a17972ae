"""Articles from a Kafka topic into an index, and the story of each out to another topic.

pip install sahel-dedup confluent-kafka
python kafka.py news.index localhost:9092

You can kill it at any moment and start it again. Offsets are committed only after the articles are
in the index and the answers have arrived, so each message is handled at least once, and the index
gives the same answer for an article that it already has. Messages that are not articles go to a
topic of their own, with the reason, and do not stop the program.
"""

import json
import sys
from collections.abc import Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer

from sahel_dedup import ArticleError, StoryIndex

ARTICLES, STORIES, DEAD_LETTERS = "articles", "stories", "articles-dead"
BATCH = 128


class Answers:
    """Sends answers, and knows whether all of them have arrived."""

    def __init__(self, producer: Producer) -> None:
        self.producer = producer
        self.errors: list[KafkaError] = []

    def send(self, topic: str, key: Any, value: Any, reason: str = "") -> None:
        headers = [("reason", reason.encode("utf-8", "replace"))] if reason else []
        self.producer.produce(topic, value, key, on_delivery=self._delivered, headers=headers)

    def wait(self) -> None:
        if self.producer.flush(60) or self.errors:
            raise RuntimeError(f"answers were not delivered: {self.errors}")

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self.errors.append(error)


def add(index: StoryIndex, messages: Sequence[Message], answers: Answers) -> None:
    """Add the articles of some messages and answer each."""
    rows: list[Any] = []
    origin: dict[int, Message] = {}
    for message in messages:
        try:
            row = json.loads(message.value())
        except (ValueError, RecursionError) as error:
            answers.send(DEAD_LETTERS, message.key(), message.value(), f"no JSON: {error}")
        else:
            rows.append(row)
            origin[id(row)] = message

    def left_out(error: ArticleError, row: object) -> None:
        message = origin[id(row)]
        answers.send(DEAD_LETTERS, message.key(), message.value(), str(error))

    for found in index.follow(rows, batch_size=BATCH, on_error=left_out):
        # Without a story: the article is older than what the index keeps.
        value = {"story_id": found.story_id, "relation": found.relation}
        answers.send(STORIES, found.id.encode("utf-8", "replace"), json.dumps(value))


def handle(index: StoryIndex, messages: Sequence[Message], answers: Answers) -> None:
    """Handle messages in their order."""
    waiting: list[Message] = []
    for message in messages:
        if (error := message.error()) is not None:
            if error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
        elif message.value() is None:
            # A tombstone: the article whose id is the key was withdrawn.
            add(index, waiting, answers)
            waiting = []
            name = (message.key() or b"").decode("utf-8", "replace")
            if name in index:
                index.remove(name)
        else:
            waiting.append(message)
    add(index, waiting, answers)
    answers.wait()


def main() -> None:
    path, brokers = sys.argv[1:]
    consumer = Consumer({
        "bootstrap.servers": brokers,
        "group.id": "sahel-dedup",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "session.timeout.ms": 10_000,
    })  # fmt: skip
    consumer.subscribe([ARTICLES])
    answers = Answers(Producer({"bootstrap.servers": brokers}))
    # A consumer that takes over may have to wait until its predecessor has ended.
    with StoryIndex.open(path, timeout=60) as index:
        while True:
            messages = consumer.consume(BATCH, timeout=1.0)
            if messages:
                handle(index, messages, answers)
                # Waits: a later poll must not move what is committed.
                consumer.commit(asynchronous=False)


if __name__ == "__main__":
    main()
