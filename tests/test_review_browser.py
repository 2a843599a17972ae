"""The page of a review in a real browser, with hostile texts, over a real port."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from sahel_dedup import cluster
from sahel_dedup.evaluation.judged_pairs import read_pairs
from tests.test_report_browser import HOSTILE, browser, log
from tests.test_review import REVIEWED

__all__ = ["browser"]  # a fixture

ROWS = [{**row, "title": HOSTILE, "source": HOSTILE, "text": f"{row['text']} {HOSTILE}"}
        for row in REVIEWED]  # fmt: skip


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """Run the command, and interrupt it in the end; yields the address of the page."""
    stories = cluster(ROWS)
    (tmp_path / "news.jsonl").write_text("".join(json.dumps(r) + "\n" for r in ROWS), "utf-8")
    stories.to_frame().select("id", "story_id").write_ndjson(tmp_path / "out.jsonl")
    command = [sys.executable, "-m", "sahel_dedup", "review", "out.jsonl", "news.jsonl"]
    process = subprocess.Popen(
        [*command, "--who", "Awa"], cwd=tmp_path, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{32}/", address)
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def test_a_review(browser: webdriver.Chrome, served: str, tmp_path: Path) -> None:
    answers = tmp_path / "answers.jsonl"

    def heading(text: str) -> None:
        WebDriverWait(browser, 20).until(
            lambda b: b.find_element(By.ID, "heading").text.startswith(text)
        )

    def press(key: str) -> None:
        browser.find_element(By.TAG_NAME, "body").send_keys(key)

    def said() -> list[Any]:
        return [pair.same for pair in read_pairs(answers)]

    browser.get("about:blank")
    log(browser, "performance")
    log(browser, "browser")
    browser.get(served)
    heading("Pair 1 of")
    for key, number in (("u", 2), ("u", 3), ("d", 4)):
        press(key)
        heading(f"Pair {number} of")
    assert said() == [None, None, False]
    press("z")
    heading("Pair 3 of")
    assert said() == [None, None]
    # Texts are shown as they are, and nothing in them runs.
    assert browser.title == "Review of stories"
    assert "<script>" in browser.find_element(By.CSS_SELECTOR, "#a .text").text
    assert browser.find_elements(By.CSS_SELECTOR, "main img, main b, main script") == []
    assert browser.find_elements(By.CSS_SELECTOR, "#b mark, #a mark")
    # Closed and opened again, it goes on where it was.
    browser.get("about:blank")
    browser.get(served)
    heading("Pair 3 of")
    browser.find_element(By.ID, "stories").click()
    heading("Story 1 of")
    boxes = browser.find_elements(By.CSS_SELECTOR, "#articles input")
    boxes[0].click()
    press("x")
    heading("Story 2 of")
    assert said()[2] is False

    def steps(number: int) -> None:
        WebDriverWait(browser, 20).until(
            lambda b: b.find_element(By.ID, "status").text.startswith(f"{number} answers are")
        )

    def keys(*pressed: str) -> None:
        ActionChains(browser).send_keys(*pressed).perform()

    def selected() -> list[Any]:
        return browser.find_elements(By.CSS_SELECTOR, "#articles input:checked")

    # By mouse: on the text of the last article, and on the button.
    browser.find_element(By.ID, "previous").click()
    heading("Story 1 of")
    browser.find_element(By.ID, "undo").click()
    steps(2)
    assert selected() == []
    articles = browser.find_elements(By.CSS_SELECTOR, "#articles article")
    last = articles[-1].find_element(By.CSS_SELECTOR, ".text")
    browser.execute_script("arguments[0].scrollIntoView({ block: 'center' })", last)
    ActionChains(browser).move_to_element(last).click().perform()
    (chosen,) = selected()
    name = chosen.get_attribute("value")
    browser.find_element(By.ID, "split").click()
    heading("Story 2 of")
    written = list(read_pairs(answers))
    assert written[2].same is False
    assert name in (written[2].first, written[2].second)
    # Undo leads back to the story, and nothing of the split is left in the file.
    browser.find_element(By.ID, "undo").click()
    heading("Story 1 of")
    assert len(said()) == 2
    assert selected() == []
    # By keyboard alone: the first box has the focus, Space selects, x splits, z undoes.
    keys(" ", "x")
    heading("Story 2 of")
    assert said()[2] is False
    keys("z")
    heading("Story 1 of")
    assert len(said()) == 2
    keys(Keys.TAB, " ", "x")
    heading("Story 2 of")
    keys("p")
    heading("Story 1 of")
    # The split is shown.
    assert len(selected()) == 1
    assert "another story" in browser.find_element(By.ID, "articles").text
    # An empty selection is refused, and the page says why.
    selected()[0].click()
    count = len(said())
    keys("x")
    WebDriverWait(browser, 20).until(
        lambda b: "Not done: choose some articles" in b.find_element(By.ID, "status").text
    )
    assert len(said()) == count
    refused = log(browser, "browser")
    assert len(refused) == 1
    assert "400" in refused[0]["message"]
    messages = [json.loads(entry["message"])["message"] for entry in log(browser, "performance")]
    requested = {
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    }
    assert all(url.startswith((served, "data:", "about:")) for url in requested), requested
    # What was answered is what the next run follows.
    stories = cluster(ROWS, corrections=answers)
    assert len(stories.corrections) == len(said()) - 2
