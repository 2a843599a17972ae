"""The report in a real browser: headless Chromium, driven by its own driver."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from sahel_dedup.io.readers import read_rows
from sahel_dedup.report import write_report

SAMPLE = Path(__file__).parents[1] / "sahel_dedup" / "sample" / "wire.jsonl"
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
HOSTILE = (
    "</script><script>document.title = 'owned'</script></textarea>"
    "<img src=x onerror=\"document.title = 'owned'\"><b>bold</b> \u202eRTL {{ 7 * 7 }}"
)
LISTED = 50

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not binary or not driver:
        reason = "Chromium and its driver are not installed (Debian: chromium, chromium-driver)"
        if os.environ.get("SAHEL_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    chrome.set_window_size(1280, 900)
    yield chrome
    chrome.quit()


@pytest.fixture
def opened(browser: webdriver.Chrome, tmp_path: Path) -> Iterator[Callable[[Rows], None]]:
    """Open reports of rows, which in the end must have requested and complained of nothing."""
    urls: list[str] = []

    def open_report(rows: Rows, **more: Any) -> None:
        path = tmp_path / "report.html"
        write_report(rows, path, title="Report", audit={"estimated_precision": 0.96}, **more)
        urls.append(path.as_uri())
        # What the browser did before is not this report's doing.
        browser.get("about:blank")
        log(browser, "performance")
        log(browser, "browser")
        browser.get(path.as_uri())

    yield open_report
    assert log(browser, "browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in log(browser, "performance")]
    requested = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    assert {url for url in requested if not url.startswith("data:")} == set(urls)


def log(browser: Any, kind: str) -> list[dict[str, Any]]:
    """Take the entries since the last call; the method itself has no types."""
    return list(browser.get_log(kind))


def demo() -> Rows:
    rows = [dict(row) for _, row in read_rows(str(SAMPLE))]
    for row in rows:
        row["story_id"] = row.pop("story")
    return rows


def by_id(browser: webdriver.Chrome, name: str) -> WebElement:
    return browser.find_element(By.ID, name)


def all_of(browser: webdriver.Chrome, selector: str) -> list[WebElement]:
    return browser.find_elements(By.CSS_SELECTOR, selector)


def wait_for(browser: webdriver.Chrome, name: str) -> WebElement:
    return WebDriverWait(browser, 20).until(
        lambda _: by_id(browser, name) if by_id(browser, name).is_displayed() else False
    )


def test_search_and_sort(browser: webdriver.Chrome, opened: Callable[[Rows], None]) -> None:
    opened(demo())
    count = by_id(browser, "count")
    assert (count.text, count.get_attribute("aria-live")) == ("26 stories found", "polite")
    query = by_id(browser, "query")
    query.send_keys("zeppelin")
    assert count.text == "0 stories found"
    query.clear()
    # Neither case nor accents count; the words may stand in headline, outlet or opening.
    query.send_keys("greve BENIN")
    assert count.text == "1 story found"
    assert "grève" in all_of(browser, "#list a")[0].text
    query.clear()
    query.send_keys(Keys.ENTER)
    browser.execute_script("document.getElementById('until').value = '2025-04-01'")
    by_id(browser, "conflicting").click()
    flagged = all_of(browser, "#list .badge")
    assert 0 < len(flagged) == len(all_of(browser, "#list li")) < 26
    by_id(browser, "conflicting").click()
    assert 0 < len(all_of(browser, "#list li")) < 26


def test_a_story_side_by_side(browser: webdriver.Chrome, opened: Callable[[Rows], None]) -> None:
    opened(demo())
    link = next(a for a in all_of(browser, "#list a") if "gold pit" in a.text)
    # With the keyboard alone.
    browser.execute_script("arguments[0].focus()", link)
    link.send_keys(Keys.ENTER)
    wait_for(browser, "story")
    assert browser.switch_to.active_element.get_attribute("id") == "story-heading"
    rows = [row.text for row in all_of(browser, "#quantities tbody tr")]
    assert {"23", "36"} <= {
        word for row in rows if row.startswith("killed") for word in row.split()
    }
    reports = all_of(browser, "#reports button")
    assert len(reports) == 4
    chosen = next(button for button in reports if "leaves 36 dead" in button.text)
    assert "likely from" in chosen.text
    chosen.send_keys(Keys.SPACE)
    assert chosen.get_attribute("aria-pressed") == "true"
    left, right = by_id(browser, "left"), by_id(browser, "right")
    assert "23" in left.find_element(By.CLASS_NAME, "conflict").text
    assert "36" in right.find_element(By.CLASS_NAME, "conflict").text
    mark = right.find_element(By.CSS_SELECTOR, "mark.passage")
    assert "artisanal gold pit" in mark.text
    assert mark.find_elements(By.CLASS_NAME, "changed")
    jump = browser.find_element(By.CSS_SELECTOR, "[aria-label='Go to passage 1']")
    jump.send_keys(Keys.ENTER)
    assert browser.switch_to.active_element.get_attribute("id") == "passage-0-right"
    browser.back()
    assert wait_for(browser, "stories")


def test_what_people_decided(browser: webdriver.Chrome, opened: Callable[..., None]) -> None:
    rows = [
        {"id": name, "story_id": story, "text": "It rained.", "title": f"Rain {name}"}
        for name, story in (("a", "s"), ("b", "s"), ("c", "t"), (HOSTILE, "t"))
    ]
    opened(rows, corrections=[("a", "b", 1, HOSTILE, "2025-03-01", HOSTILE), ("a", HOSTILE, 1)])
    assert len(all_of(browser, "#list li")) == 2
    by_id(browser, "decided").click()
    assert by_id(browser, "count").text == "2 stories found"
    assert "decided by people" in all_of(browser, "#list li")[0].text
    all_of(browser, "#list a")[0].click()
    wait_for(browser, "story")
    broken, followed = (item.text for item in all_of(browser, "#decisions li"))
    assert followed.startswith("a and b are one story (</script>")
    assert "2025-03-01): </script>" in followed
    assert broken.endswith("are one story not followed here")
    assert "in a correction" in by_id(browser, "reports").text
    assert "Decided by people: a and b are one story" in by_id(browser, "findings").text
    assert browser.title == "Report"
    assert all_of(browser, "#story img, #story script") == []


def test_the_audit(browser: webdriver.Chrome, opened: Callable[[Rows], None]) -> None:
    opened(demo())
    all_of(browser, "[data-view='audit']")[0].click()
    audit = wait_for(browser, "audit")
    assert "96.0 %" in audit.text
    assert len(all_of(browser, "#audit figure svg rect")) > 20
    all_of(browser, "#audit summary")[0].click()
    assert "33" in all_of(browser, "#audit details table")[0].text


def test_every_control_has_a_name(
    browser: webdriver.Chrome, opened: Callable[[Rows], None]
) -> None:
    opened(demo())
    browser.get(f"{browser.current_url}#story=dourgama-convoy-ambush")
    wait_for(browser, "story")
    for element in all_of(browser, "a, button, input, select, section, nav, [role]"):
        if element.is_displayed():
            assert element.accessible_name or element.aria_role in ("status", "none")
    ids = [element.get_attribute("id") for element in all_of(browser, "[id]")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("dark", [False, True])
def test_colours_follow_the_reader(
    browser: webdriver.Chrome, opened: Callable[[Rows], None], dark: bool
) -> None:
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    opened(demo()[:5])
    colour = by_id(browser, "query").value_of_css_property("color")
    brightness = sum(map(int, colour[colour.index("(") + 1 : -1].split(",")[:3]))
    assert (brightness > 3 * 128) == dark


def test_a_phone_scrolls_in_one_direction(
    browser: webdriver.Chrome, opened: Callable[[Rows], None]
) -> None:
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    try:
        opened(demo())
        for view in ("stories", "story=sirakourou-mine-collapse", "audit"):
            browser.get(f"{browser.current_url.partition('#')[0]}#{view}")
            wait_for(browser, view.partition("=")[0])
            assert browser.execute_script("return document.documentElement.scrollWidth") == 390
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_hostile_articles_are_text(
    browser: webdriver.Chrome, opened: Callable[[Rows], None]
) -> None:
    rows = [
        {"id": HOSTILE + str(i), "story_id": HOSTILE, "title": HOSTILE, "source": HOSTILE,
         "text": HOSTILE + " rain" * i, "published": f"2025-03-0{i + 1}"}
        for i in range(2)
    ]  # fmt: skip
    rows.append({**rows[0], "id": "long", "title": "long" * 250_000})
    opened(rows)
    link = all_of(browser, "#list a")[0]
    assert link.text.startswith("</script><script>document.title")
    link.click()
    wait_for(browser, "story")
    for side in ("left", "right"):
        assert HOSTILE[:60] in by_id(browser, side).text
    assert "longlong" in by_id(browser, "reports").text
    assert not all_of(browser, "main img, main b, main script, main textarea")
    assert browser.title == "Report"
    isolated = browser.find_element(By.CSS_SELECTOR, "#left h4 bdi")
    assert isolated.value_of_css_property("unicode-bidi") == "isolate"


def test_ten_thousand_stories(
    browser: webdriver.Chrome,
    opened: Callable[[Rows], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [
        {"id": f"{i}-{k}", "story_id": f"s{i}", "title": f"Report {i} from town {i % 97}",
         "source": f"Outlet {k + i % 9}", "published": f"2025-03-{1 + i % 28:02}T0{k}:00"}
        for i in range(10_000)
        for k in range(2)
    ]  # fmt: skip
    opened(rows)
    assert by_id(browser, "count").text == "10,000 stories found"
    assert len(all_of(browser, "#list li")) == LISTED
    # The page holds what is shown, not the archive.
    nodes = browser.execute_script("return document.querySelectorAll('body *').length")
    assert nodes < 2000
    painted = browser.execute_script(
        "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
    )
    took = browser.execute_script("""
        const query = document.getElementById("query");
        query.value = "outlet town 42";
        const begin = performance.now();
        query.dispatchEvent(new Event("input"));
        document.body.getBoundingClientRect();
        return performance.now() - begin;
    """)
    assert by_id(browser, "count").text != "10,000 stories found"
    # By keyboard: a click at a place may miss while the browser still scrolls there.
    by_id(browser, "next").send_keys(Keys.ENTER)
    assert by_id(browser, "page").text.startswith("Page 2 of")
    # Times depend on the machine, and a browser may not have painted yet: they are shown only.
    with capsys.disabled():
        print(f"\n10,000 stories: first paint {painted} ms, search {took:.0f} ms, {nodes} elements")  # noqa: T201
