"""Runs made up once, and a headless browser with the network cut off."""

import shutil

import pytest

from rftspec.report.build import build_report
from tests.report.synthetic import Story, make_run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
]


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A finished run with its report."""
    folder = make_run(tmp_path_factory.mktemp("runs") / "rare-disease-abc123")
    build_report(folder)
    return folder


@pytest.fixture
def story(tmp_path):
    """Builds the report of a story; gives the run folder."""

    def build(**changes):
        folder = make_run(tmp_path / "run", Story(**changes))
        build_report(folder)
        return folder

    return build


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: browser tests did not run")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """Opens a report from its file; every console message, error or request fails the test."""
    contexts, said = [], []

    def open_(folder, address="", **settings):
        context = chromium.new_context(viewport={"width": 1280, "height": 900}, **settings)
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (said.append("dialog"), dialog.dismiss()))

        def watch(request):
            if not request.url.startswith(("file:", "data:")):
                said.append(f"request: {request.url}")

        page.on("request", watch)
        page.goto((folder / "report.html").as_uri() + address)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert said == []
