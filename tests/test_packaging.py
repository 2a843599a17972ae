"""The metadata that a package index shows."""

from __future__ import annotations

import re
from email.parser import Parser
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]


def test_the_description_has_no_link_that_leads_nowhere() -> None:
    builder = WheelBuilder(str(ROOT))
    text = Parser().parsestr(builder.config.core_metadata_constructor(builder.metadata))
    description = text.get_payload()
    assert isinstance(description, str)
    assert text["Description-Content-Type"] == "text/markdown"
    assert "Tutorial (`docs/tutorial.md` in the source distribution)" in description
    targets = re.findall(r"\]\(([^)]*)\)", description)
    assert [target for target in targets if not target.startswith(("https://", "#"))] == []
    readme = (ROOT / "README.md").read_text("utf-8")
    assert description.count("\n") >= readme.count("\n")
