"""The page in a real browser, under its own policy, from a file, with the network watched."""

import json
import re

import pytest

pytestmark = pytest.mark.browser

BIDI, ZERO = "\u202e", "\u0000"
HOSTILE = {
    0: "<script>alert(1)</script></script><img src=x onerror=alert(2)>",
    1: json.dumps({"reasoning": "</script><svg onload=alert(3)>{{ 7*7 }}", "genes": ["<b>X</b>"]}),
    2: f"{BIDI}evil{ZERO}\x1b[31mred \ud800 lone \u2028 separators \u2029",
    3: "x" * 1_000_000,
    4: '<!--<script>{"a":1}]]>',
}


def listed(page):
    return page.locator("#list button").count()


def test_filter_by_passes_shows_the_rows_that_the_record_says_pass(run, open_page):
    page = open_page(run)
    passing = {}
    for line in map(json.loads, (run / "samples.jsonl").read_text().splitlines()):
        if (line["kind"], line["model"], line["split"]) == ("evaluation", "tuned", "test"):
            passing.setdefault(line["row"], []).append(line["metrics"]["top@1"])
    expected = {row for row, found in passing.items() if 2 * sum(found) >= len(found)}
    assert 0 < len(expected) < 40
    page.get_by_role("button", name=re.compile("^Passes")).click()
    shown = page.locator("#list button").evaluate_all("(bs) => bs.map((b) => +b.dataset.row)")
    assert set(shown) == expected
    page.get_by_role("button", name=re.compile("^Fails")).click()
    assert listed(page) == 40 - len(expected)


def test_base_fails_and_tuned_passes_together_are_the_rows_flipped_to_right(run, open_page):
    page = open_page(run)
    page.get_by_role("button", name=re.compile("^Flipped to right")).click()
    flipped = listed(page)
    told = json.loads((run / "report.json").read_text())["numbers"]["flips"]["to_right"]
    assert flipped == len(told) > 0
    page.get_by_role("button", name="Clear").click()
    page.locator("#f-models select").nth(0).select_option("fails")
    page.locator("#f-models select").nth(1).select_option("passes")
    assert listed(page) == flipped


def test_search_finds_a_gene_and_escape_clears_it(run, open_page):
    page = open_page(run)
    page.keyboard.press("/")
    page.keyboard.type("test-0007")
    assert listed(page) == 1
    assert "test-0007" in page.locator("#detail h3").inner_text()
    page.keyboard.press("Escape")
    assert listed(page) == 40


def test_j_and_k_walk_and_the_address_restores_what_was_seen(run, open_page):
    page = open_page(run)
    page.locator("#f-sort").select_option("gain")
    page.get_by_role("button", name=re.compile("^Flipped to right")).click()
    for key in "jjk":
        page.keyboard.press(key)
    seen = page.locator("#detail h3 span").inner_text()
    address = "#" + page.url.partition("#")[2]
    again = open_page(run, address)
    assert again.locator("#detail h3 span").inner_text() == seen
    assert listed(again) == listed(page)
    assert again.locator("#f-sort").input_value() == "gain"


def test_detail_shows_prompt_fields_every_model_and_each_score(run, open_page):
    page = open_page(run)
    detail = page.locator("#detail")
    text = detail.inner_text()
    assert "[object" not in text
    assert "null" not in text
    assert "year-old" in text
    assert "gene" in text
    assert detail.locator(".output").count() == 4
    first = detail.locator(".output").nth(1)
    for name in ("reward", "rank", "concise", "top@1", "top@max"):
        assert first.locator(".scores th", has_text=name).count() >= 1
    before = first.inner_text()
    first.locator(".switch button").nth(1).click()
    assert detail.locator(".output").nth(1).inner_text() != before


def test_hostile_outputs_stay_text(story, open_page):
    folder = story(hostile=HOSTILE)
    page = open_page(folder)
    for row, text in HOSTILE.items():
        page.locator(f'#list button[data-row="{row}"]').click()
        shown = page.locator("#detail .output").nth(1).inner_text()
        assert BIDI not in shown
        assert ZERO not in shown
        assert "\u2028" not in shown
        if row in (0, 4):
            assert text in shown
    page.locator('#list button[data-row="2"]').click()
    shown = page.locator("#detail .output").nth(1).inner_text()
    assert "⟨U+202E⟩" in shown
    assert "⟨U+D800⟩" in shown
    assert "⟨U+001B⟩" in shown
    assert page.locator("#detail script, #detail img, #detail svg, #detail b").count() == 0


def test_scripts_off_leaves_all_but_the_browser(run, open_page):
    page = open_page(run, java_script_enabled=False)
    text = page.locator("body").inner_text()
    for words in ("The tuned model is better", "top@5", "What to distrust", "Provenance"):
        assert words in text
    assert "needs scripts, which are off" in text
    assert page.locator("#browser").is_hidden()
    assert page.locator("svg[role=img]").count() >= 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_in_light_and_dark(run, open_page, scheme):
    page = open_page(run, color_scheme=scheme)
    worst = page.evaluate(
        """() => {
      const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
      const light = (c) => c.slice(0, 3).map((v) => v / 255)
        .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
      const paper = (e) => {
        for (; e; e = e.parentElement) {
          const c = rgb(getComputedStyle(e).backgroundColor);
          if (c.length < 4 || c[3] > 0.5) return c;
        }
        return [255, 255, 255];
      };
      let worst = [99, ""];
      for (const e of document.querySelectorAll("main *")) {
        const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
        if (!own || !e.getClientRects().length || e.closest("script, style, option")) continue;
        const svg = e.namespaceURI.endsWith("svg");
        const style = getComputedStyle(e);
        if (svg && e.tagName !== "text") continue;
        const a = light(rgb(svg ? style.fill : style.color)), b = light(paper(e));
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < worst[0]) worst = [ratio, e.textContent.slice(0, 60)];
      }
      return worst;
    }"""
    )
    assert worst[0] >= 4.5, worst


def test_narrow_page_does_not_scroll_sideways(run, open_page):
    page = open_page(run)
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_copy_gives_the_row_as_json(run, open_page):
    page = open_page(run, permissions=["clipboard-read", "clipboard-write"])
    page.locator("#copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    row = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert row["id"] == "test-0000"
    assert set(row["answers"]) == {"base", "tuned", "phenotype-matching", "base-vote-8"}
