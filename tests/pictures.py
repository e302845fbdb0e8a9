"""`make pictures`: the README's pictures, taken from the real thing."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import expect

from tests.chromium import chromium
from tests.conftest import environment
from tests.made_up_class import CLASS
from tests.processes import ROOT, run, serving

PAGE = ROOT / "service" / "page" / "screenshot.png"
TRAINING = ROOT / "training" / "picture.png"


def main() -> None:
    """Train on a made-up class, draw it, and photograph the page."""
    with tempfile.TemporaryDirectory() as folder:
        home = {**environment(Path(folder)), "STUDY_SCORE_ACCESS_LOG": "off"}
        run(home, "training", str(CLASS), "--keep-points", "--picture", str(TRAINING))
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
