"""Stories in a file: what is loaded is what was saved, and damage is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sahel_dedup import SahelError, SahelWarning, Stories, cluster
from sahel_dedup.cli import app
from tests.archive import archive


@pytest.fixture(scope="module")
def stories() -> Stories:
    return cluster(archive()[::8])


@pytest.fixture
def saved(stories: Stories, tmp_path: Path) -> Path:
    path = tmp_path / "stories.npz"
    stories.save(path)
    return path


def test_everything_comes_back(stories: Stories, saved: Path) -> None:
    again = Stories.load(saved)
    assert list(again.rows()) == list(stories.rows())
    assert list(again.pairs()) == list(stories.pairs())
    assert again.labels.tolist() == stories.labels.tolist()
    assert again.settings == stories.settings
    assert again.read_summary == stories.read_summary
    assert again.recurrence.tolist() == stories.recurrence.tolist()
    assert again.to_frame().equals(stories.to_frame())
    link = next(stories.pairs())
    explained = again.explain(link.first, link.second).to_dict()
    assert explained == stories.explain(link.first, link.second).to_dict()
    strict, fresh = again.recut(min_probability=0.8), stories.recut(min_probability=0.8)
    assert list(strict.rows()) == list(fresh.rows())


def test_a_reading_with_faults_comes_back(tmp_path: Path) -> None:
    rows = [
        {"id": name, "body": "Rain fell.", "title": "nan", "published": "soon"} for name in "aabb"
    ]
    with pytest.warns(SahelWarning, match="dates that cannot be read .* rows left out"):
        found = cluster(rows, columns={"text": "body"}, on_error="skip")
    assert found.read_summary.skipped.total() == 2
    for number in (1, 2):
        path = tmp_path / f"{number}.npz"
        found.save(path)
        again = Stories.load(path)
        assert again.read_summary == found.read_summary
        assert str(again.read_summary) == str(found.read_summary)
        found = again


def _change(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    with np.load(path, allow_pickle=False) as found:
        arrays = {name: found[name] for name in found.files}
    change(arrays)
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    "name",
    ["terms", "title_terms", "lang", "source", "duplicate_of", "inside_first", "compared_second"],
)
@pytest.mark.parametrize("value", [-2, 1 << 14])
def test_a_number_out_of_range_is_refused(saved: Path, name: str, value: int) -> None:
    def change(arrays: dict[str, Any]) -> None:
        arrays[name][0] = value

    _change(saved, change)
    with pytest.raises(SahelError, match="damaged"):
        Stories.load(saved)


@pytest.mark.parametrize("name", ["indptr", "counts", "salience", "position", "recurrence", "idf"])
def test_a_column_cut_short_is_refused(saved: Path, name: str) -> None:
    def change(arrays: dict[str, Any]) -> None:
        arrays[name] = arrays[name][:-1] if name != "idf" else arrays[name][:, :3]

    _change(saved, change)
    with pytest.raises(SahelError, match="damaged"):
        Stories.load(saved)


def test_another_version_is_refused(saved: Path) -> None:
    def change(arrays: dict[str, Any]) -> None:
        header = json.loads(arrays["header"].tobytes())
        arrays["header"] = np.frombuffer(json.dumps(header | {"format": 0}).encode(), np.uint8)

    _change(saved, change)
    with pytest.raises(SahelError, match="another version: group the articles again"):
        Stories.load(saved)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.npz"
    with pytest.raises(SahelError, match=r"cannot read .*none\.npz"):
        Stories.load(path)
    for data in (b"PK\x03\x04 nothing of the kind", b"root:x:0:0", b""):
        path.write_bytes(data)
        told = "damaged or not a file of stories: .*; give a file that .* cluster --save wrote$"
        with pytest.raises(SahelError, match=told) as caught:
            Stories.load(path)
        # NumPy's own advice is to have a pickle run.
        assert "pickle" not in str(caught.value)


def test_recut_on_the_command_line(
    stories: Stories, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out, file = (str(tmp_path / name) for name in ("in.jsonl", "out.jsonl", "s.npz"))
    rows = archive()[::8]
    Path(source).write_text("".join(json.dumps(row, default=str) + "\n" for row in rows))
    app(["cluster", source, "-o", out, "--save", file], standalone_mode=False)
    app(["recut", file, "--min-probability", ".8", "-o", out], standalone_mode=False)
    found = [json.loads(line) for line in Path(out).read_text().splitlines()]
    assert found == [
        {name: value for name, value in row.items() if value is not None}
        | {name: None for name, value in row.items() if value is None}
        for row in stories.recut(min_probability=0.8).rows()
    ]
    capsys.readouterr()
    app(["recut", file, "--thresholds", ".5,.9"], standalone_mode=False)
    assert "expected precision" in capsys.readouterr().out
