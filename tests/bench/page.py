"""The page on a slow link: `python -m tests.bench.page` prints when it paints and answers."""

from __future__ import annotations

from statistics import median

from playwright.sync_api import Browser, expect

from tests.bench.service import BIN, running, trained
from tests.chromium import chromium

ROUNDS = 5
LINKS = {"3G": (400, 50_000), "4G": (150, 200_000), "none": (0, -1)}  # ms, and bytes per second


def measure(browser: Browser, url: str, latency: int, rate: int) -> tuple[float, float]:
    """Milliseconds from the address to the first paint, and to the first answer."""
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    link = {"offline": False, "latency": latency}
    link |= {"downloadThroughput": rate, "uploadThroughput": rate}
    context.new_cdp_session(page).send("Network.emulateNetworkConditions", link)
    page.add_init_script(
        """new MutationObserver(() => {
          if (document.querySelector("#score")?.textContent) window.answered ??= performance.now();
        }).observe(document, { childList: true, subtree: true });"""
    )
    page.goto(f"{url}/ui")
    expect(page.locator("#score")).not_to_be_empty()
    paint = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
    times = page.evaluate(f"[{paint}, window.answered]")
    context.close()
    return times[0], times[1]


def main() -> None:
    with trained() as environment:
        command = [str(BIN / "bentoml"), "serve", "--host", "127.0.0.1"]
        print("\n| link: ms, kB/s | first paint ms | first answer ms |\n|---|---|---|")
        with running(command, environment) as server, chromium() as browser:
            for name, (latency, rate) in LINKS.items():
                times = [measure(browser, server.url, latency, rate) for _ in range(ROUNDS)]
                paint, answer = (median(each) for each in zip(*times, strict=True))
                link = f"{name}: {latency}, {rate // 1000}" if latency else "not throttled"
                print(f"| {link} | {paint:,.0f} | {answer:,.0f} |")


if __name__ == "__main__":
    main()
