"""Corrections on Spark: the stories are those of the local engine with the same corrections."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sahel_dedup import CorrectionError, SahelWarning, Settings, cluster
from sahel_dedup.cli import app
from sahel_dedup.corrections.corrections import Corrections
from tests.needs_spark import MARKS
from tests.test_corrections import contradicted
from tests.test_spark import frame, news

pytestmark = MARKS
Row = dict[str, Any]
Said = list[tuple[str, str, int]]
SETTINGS = Settings(canonical="central")
ROWS = news(70, days=12, dated=0.8)
NATURAL = {a: story.articles for story in cluster(ROWS, SETTINGS) for a in story.articles}
# Exact copies are one article to most stages, unless a correction names one.
COPIES = sorted(name for name in NATURAL if name.startswith("copy"))
OTHERS = sorted(NATURAL.keys() - set(COPIES))


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    from sahel_dedup.spark.session import local_session

    session = local_session(
        "local[2]", {"spark.sql.shuffle.partitions": "2", "spark.log.level": "OFF"}
    )
    yield session
    session.stop()


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stages that all runs share: what does not depend on corrections is made once."""
    return tmp_path_factory.mktemp("stages")


def drawn(seed: int, names: list[str], count: int = 24) -> Said:
    """Draw statements that contradict each other nowhere, many of them inside stories."""
    draw = random.Random(seed)
    several = [list(articles) for articles in set(NATURAL.values()) if len(articles) > 1]
    several = sorted([a for a in articles if a in names] for articles in several)
    several = [articles for articles in several if len(articles) > 1]
    said: Said = []
    while len(said) < count:
        a, b = draw.sample(draw.choice(several) if draw.random() < 0.4 else [*names, "gone"], 2)
        more = [*said, (a, b, int(draw.random() < 0.5))]
        said = said if contradicted(more) else more
    return said


@pytest.mark.parametrize(
    "said",
    [
        drawn(0, OTHERS),
        drawn(1, OTHERS, 60),
        # Copies leave their originals, and come to other stories.
        drawn(3, [*OTHERS, *COPIES], 30),
    ],
    ids=["some", "many", "copies"],
)
def test_stories_are_those_of_the_local_engine(spark: Any, stages: Path, said: Said) -> None:
    from sahel_dedup.spark import cluster as on_spark

    def rows(found: Any) -> dict[str, Row]:
        return {str(row["id"]): dict(row) for row in found}

    with pytest.warns(SahelWarning, match="ids in corrections that no article has: 1"):
        want = rows(cluster(ROWS, SETTINGS, corrections=[*said, ("gone", "a0", 1)]).rows())
    with pytest.warns(SahelWarning, match="ids in corrections that no article has: 1"):
        found = on_spark(
            frame(spark, ROWS), SETTINGS, checkpoint=stages, corrections=[*said, ("gone", "a0", 1)]
        )
    got = rows(row.asDict() for row in found.collect())
    assert got.keys() == want.keys()
    root = next(path for path in stages.iterdir() if path.is_dir())
    names_copy = any(name in COPIES for a, b, _ in said for name in (a, b))
    assert names_copy == any(path.name.startswith("apart-") for path in root.iterdir())
    for name, row in got.items():
        assert row.pop("similarity") == pytest.approx(want[name].pop("similarity"), abs=2e-4)
        assert row == want[name]


def test_what_does_not_depend_on_corrections_is_made_once(spark: Any, stages: Path) -> None:
    from sahel_dedup.spark.engine import Run

    def written() -> set[str]:
        return {path.name for path in root.iterdir()}

    df = frame(spark, ROWS)
    plain = Run.of(df, SETTINGS, stages)
    root = Path(plain.stages.root)
    plain.stories()
    before = written()
    said = Corrections.read([(OTHERS[0], OTHERS[1], 0)])
    Run.of(df, SETTINGS, stages, said).stories()
    (fresh,) = written() - before
    assert fresh.startswith("corrected-")
    assert {path.name for path in (root / fresh).iterdir() if path.is_dir()} == {"stories"}
    # Who said it changes nothing.
    again = Corrections.read([(OTHERS[1], OTHERS[0], 0, "Awa")])
    Run.of(df, SETTINGS, stages, again).stories()
    assert written() == before | {fresh}


def test_contradictions_are_refused_before_any_work(spark: Any, tmp_path: Path) -> None:
    from sahel_dedup.spark import cluster as on_spark

    with pytest.raises(CorrectionError, match="contradict each other"):
        on_spark(
            frame(spark, ROWS), checkpoint=tmp_path, corrections=[("a", "b", 1), ("b", "a", 0)]
        )
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "said.csv").write_text("a,b,same\na,b,1\na,b,0\n", "utf-8")
    done = CliRunner().invoke(
        app,
        ["cluster", "--engine", "spark", "news.jsonl", "-o", str(tmp_path / "out.parquet"),
         "--corrections", str(tmp_path / "said.csv")],
    )  # fmt: skip
    assert done.exit_code == 2
    assert "corrections contradict each other" in done.stderr
