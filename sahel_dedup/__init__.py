"""Groups reworded copies of one news event into stories.

MinHash and LSH propose pairs of articles, TF-IDF similarity and further evidence confirm them, and
average linkage groups them into stories.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sahel_dedup.articles import Article
    from sahel_dedup.batch import cluster, fingerprints
    from sahel_dedup.clustering.crosswalk import story_changes
    from sahel_dedup.clustering.recall_check import RecallCheck
    from sahel_dedup.clustering.stories import Stories
    from sahel_dedup.clustering.story import Link, Story
    from sahel_dedup.corrections.corrections import Correction, Corrections
    from sahel_dedup.errors import (
        ArticleError,
        CorrectionError,
        FileError,
        FingerprintError,
        IndexBusyError,
        IndexFileError,
        IndexStateError,
        MissingPackageError,
        MissingTextsError,
        NotFoundError,
        RequestError,
        SahelError,
        SahelWarning,
        ServerError,
        SettingsError,
        SparkError,
    )
    from sahel_dedup.estimator import StoryClusterer
    from sahel_dedup.evaluation.audit import Audit, audit
    from sahel_dedup.evidence_model import EvidenceModel
    from sahel_dedup.explain.conflicts import Conflict, find_conflicts
    from sahel_dedup.index import StoryIndex
    from sahel_dedup.settings import Settings
    from sahel_dedup.sketch.fingerprint import FINGERPRINT_VERSION, Fingerprint
    from sahel_dedup.text.boilerplate import BoilerplateSpan, find_boilerplate

# The module of each public name, so that only what is used is imported.
_HOMES = {
    "FINGERPRINT_VERSION": "sahel_dedup.sketch.fingerprint",
    "Article": "sahel_dedup.articles",
    "ArticleError": "sahel_dedup.errors",
    "Audit": "sahel_dedup.evaluation.audit",
    "BoilerplateSpan": "sahel_dedup.text.boilerplate",
    "Conflict": "sahel_dedup.explain.conflicts",
    "Correction": "sahel_dedup.corrections.corrections",
    "CorrectionError": "sahel_dedup.errors",
    "Corrections": "sahel_dedup.corrections.corrections",
    "EvidenceModel": "sahel_dedup.evidence_model",
    "FileError": "sahel_dedup.errors",
    "Fingerprint": "sahel_dedup.sketch.fingerprint",
    "FingerprintError": "sahel_dedup.errors",
    "IndexBusyError": "sahel_dedup.errors",
    "IndexFileError": "sahel_dedup.errors",
    "IndexStateError": "sahel_dedup.errors",
    "Link": "sahel_dedup.clustering.story",
    "MissingPackageError": "sahel_dedup.errors",
    "MissingTextsError": "sahel_dedup.errors",
    "NotFoundError": "sahel_dedup.errors",
    "RecallCheck": "sahel_dedup.clustering.recall_check",
    "RequestError": "sahel_dedup.errors",
    "SahelError": "sahel_dedup.errors",
    "SahelWarning": "sahel_dedup.errors",
    "ServerError": "sahel_dedup.errors",
    "Settings": "sahel_dedup.settings",
    "SettingsError": "sahel_dedup.errors",
    "SparkError": "sahel_dedup.errors",
    "Stories": "sahel_dedup.clustering.stories",
    "Story": "sahel_dedup.clustering.story",
    "StoryClusterer": "sahel_dedup.estimator",
    "StoryIndex": "sahel_dedup.index",
    "audit": "sahel_dedup.evaluation.audit",
    "cluster": "sahel_dedup.batch",
    "find_boilerplate": "sahel_dedup.text.boilerplate",
    "find_conflicts": "sahel_dedup.explain.conflicts",
    "fingerprints": "sahel_dedup.batch",
    "story_changes": "sahel_dedup.clustering.crosswalk",
}

__all__ = [
    "FINGERPRINT_VERSION",
    "Article",
    "ArticleError",
    "Audit",
    "BoilerplateSpan",
    "Conflict",
    "Correction",
    "CorrectionError",
    "Corrections",
    "EvidenceModel",
    "FileError",
    "Fingerprint",
    "FingerprintError",
    "IndexBusyError",
    "IndexFileError",
    "IndexStateError",
    "Link",
    "MissingPackageError",
    "MissingTextsError",
    "NotFoundError",
    "RecallCheck",
    "RequestError",
    "SahelError",
    "SahelWarning",
    "ServerError",
    "Settings",
    "SettingsError",
    "SparkError",
    "Stories",
    "Story",
    "StoryClusterer",
    "StoryIndex",
    "audit",
    "cluster",
    "find_boilerplate",
    "find_conflicts",
    "fingerprints",
    "story_changes",
]


# Former names, kept for one minor release.
_RENAMED = {"find_furniture": "find_boilerplate", "Cut": "BoilerplateSpan"}


def __getattr__(name: str) -> Any:
    if name in _RENAMED:
        warnings.warn(
            f"sahel_dedup.{name} is now sahel_dedup.{_RENAMED[name]}",
            DeprecationWarning,
            stacklevel=2,
        )
        return getattr(sys.modules[__name__], _RENAMED[name])
    if name == "__version__":
        from sahel_dedup.util.version import package_version

        value: Any = package_version()
    elif name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Stored, so that the next access needs no call.
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
