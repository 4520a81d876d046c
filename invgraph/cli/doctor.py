"""``invgraph doctor VIEWS``: everything wrong or risky in a data set, at once."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes, Positional, arg

from .source import Reading

if TYPE_CHECKING:
    from ..data import Finding, Views


@dataclass(frozen=True)
class Doctor:
    """Say what is wrong or risky in a data set, before an hour is lost.

    An error is what a fit would refuse; a warning is what usually disappoints: cameras that see no common region, masks
    that disagree with the cameras, cropped objects, too few or one-sided views. Exit status 2 if there is an error.
    """

    views: Annotated[Positional[Path], arg(metavar="VIEWS")]
    """Data set: a folder or camera file."""
    json: bool = False
    """Print JSON."""
    reading: OmitArgPrefixes[Reading] = field(default_factory=Reading)

    def run(self) -> int:
        """Examine and print; 0, or 2 if there are errors."""
        views, findings = self._examine()
        source = None if views is None else views.source
        counts = {severity: sum(f.severity == severity for f in findings) for severity in ("error", "warning")}
        if self.json:
            content = {"source": source, "errors": counts["error"], "warnings": counts["warning"]}
            print(json.dumps({**content, "findings": [dataclasses.asdict(f) for f in findings]}, indent=2))
        else:
            print(source or f"{self.views}: no views could be read")
            for finding in findings:
                print(f"{finding.severity + ':':<9}{finding}")
            print(", ".join(_count(n, severity) for severity, n in counts.items()))
        return 2 if counts["error"] else 0

    def _examine(self) -> tuple[Views | None, list[Finding]]:
        """The views that can be read, and the findings, errors first."""
        from ..data import Threshold, examine
        from ..data.load import gather

        how = self.reading
        rule = Threshold(how.threshold, how.dilate, how.erode)
        views, findings = gather(self.views, format=how.format, masks=how.masks, rule=rule)
        if views is not None and len(views) >= 2:
            findings = [*findings, *examine(views)]
        return views, sorted(findings, key=lambda finding: finding.severity != "error")


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"
