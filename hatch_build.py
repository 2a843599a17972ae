"""Makes the description of the package from README.md: links to other files would lead nowhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

# A link to a file of the repository.
_LINK = re.compile(r"\[([^\]]*)\]\((?!https?:|#)([^)]+)\)")


class Description(MetadataHookInterface):
    """Names files where README links to them: they are in the source distribution."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in ``readme``."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        text = _LINK.sub(r"\1 (`\2` in the source distribution)", text)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
