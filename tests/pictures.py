"""`make pictures`: the README's pictures, taken from the real thing."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import expect

from tests.chromium import chromium
from tests.conftest import environment
from tests.data import write_csv
from tests.processes import ROOT, run, serving

PAGE = ROOT / "service" / "page" / "screenshot.png"
TRAINING = ROOT / "training" / "picture.png"


def main() -> None:
    """Train on a made-up class, draw it, and photograph the page."""
    random = np.random.default_rng(2)
    hours = random.uniform(1, 10, 40).round(1)
    scores = (38 + 4.5 * hours + random.normal(0, 6, 40)).clip(0, 100).round()
    with tempfile.TemporaryDirectory() as folder:
        home = {**environment(Path(folder)), "STUDY_SCORE_ACCESS_LOG": "off"}
        rows = write_csv(Path(folder) / "class.csv", hours, scores)
        run(home, "training", rows, "--keep-points", "--picture", str(TRAINING))
        with serving(home) as url, chromium() as browser:
            page = browser.new_page(
                viewport={"width": 1120, "height": 822}, locale="en-US", reduced_motion="reduce"
            )
            page.goto(f"{url}/ui?hours=6&score=80")
            for answer in ("#score", "#takes-hours"):
                expect(page.locator(answer)).to_be_visible()
            page.screenshot(path=PAGE)
    for picture in (PAGE, TRAINING):
        print(picture.relative_to(ROOT), f"{picture.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
