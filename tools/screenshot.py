"""The picture of a report that README shows: a run's report.html in headless Chromium, as PNG.

python tools/screenshot.py [RUN] [--out docs/report.png]     RUN: the newest in runs/ by default
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
WIDTH, HEIGHT = 1180, 1250


def main() -> int:
    """Take the picture; 1 where there is no run or no browser."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", nargs="?", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "report.png")
    args = parser.parse_args()
    run = args.run or newest_run()
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if run is None or not (run / "report.html").is_file():
        print("no report was found: `make demo` makes one", file=sys.stderr)
        return 1
    if browser is None:
        print("no Chromium was found: on Debian and Ubuntu `apt install chromium`", file=sys.stderr)
        return 1
    take(run / "report.html", args.out, browser)
    print(args.out)
    return 0


def newest_run() -> Path | None:
    """The run folder whose report was written last."""
    reports = sorted((ROOT / "runs").glob("*/report.html"), key=lambda path: path.stat().st_mtime)
    return reports[-1].parent if reports else None


def take(report: Path, out: Path, browser: str) -> None:
    """Open the file as a person would and photograph its first screen."""
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=arguments)
        page = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(report.resolve().as_uri())
        page.wait_for_load_state("load")
        out.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=out)
        chromium.close()


if __name__ == "__main__":
    sys.exit(main())
