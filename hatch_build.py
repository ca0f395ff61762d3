"""What a wheel holds beside the package, and what its page on an index says.

REPOSITORY, an environment variable, is the address where the project is published: with it, the
README's relative links and its picture work on pages elsewhere too.
"""

import os
import re
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

PAPER = "https://arxiv.org/abs/2302.06746"


class Files(BuildHookInterface):
    """Recorded data and notebooks go into wheels; an editable install has them already."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it builds."""
        if version != "editable":
            for folder in ("data", "notebooks"):
                build_data["force_include"][folder] = f"uticket_lite/{folder}"


class Page(MetadataHookInterface):
    """Links and readme."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Called by hatchling when it reads the metadata."""
        readme = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["urls"] = {"Paper": PAPER}
        if at := os.environ.get("REPOSITORY", "").rstrip("/"):
            readme = re.sub(r"(!\[[^\]]*\]\()(?=[\w.])(?!https?:)", rf"\1{at}/raw/main/", readme)
            readme = re.sub(
                r"(?<!!)(\[[^\]]*\]\()(?=[\w.])(?!https?:)", rf"\1{at}/blob/main/", readme
            )
            metadata["urls"] |= {
                "Repository": at,
                "Issues": f"{at}/issues",
                "Changelog": f"{at}/blob/main/CHANGELOG.md",
            }
        metadata["readme"] = {"content-type": "text/markdown", "text": readme}
