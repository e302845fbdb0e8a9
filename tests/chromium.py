"""Headless Chromium, driven from Python."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, expect, sync_playwright

from tests.tools import tool

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP school.test 127.0.0.1",
]
expect.set_options(timeout=60_000)  # of a busy machine


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's own browser, with a new profile."""
    path = tool("chromium", "apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
