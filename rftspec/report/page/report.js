// The sample browser. What models wrote is foreign data: it reaches the page as text nodes only.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  if (!data.views.length) return;

  const ODD = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
  const visible = (text) => String(text).replace(/\r\n/g, "\n").replace(ODD, (c) => "⟨U+" + c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0") + "⟩");

  function el(tag, properties, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(properties || {})) {
      if (key === "class") node.className = value;
      else if (key === "on") for (const [kind, act] of Object.entries(value)) node.addEventListener(kind, act);
      else if (value === true) node.setAttribute(key, "");
      else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, visible(value));
    }
    for (const child of children.flat(Infinity)) if (child !== null && child !== undefined && child !== false) node.append(child instanceof Node ? child : visible(child));
    return node;
  }

  const number = (value) => value === null || value === undefined ? "–" : (Number.isInteger(value) ? String(value) : value.toFixed(3)).replace("-", "−");
  const mean = (values) => values.length ? values.reduce((a, b) => a + b, 0) / values.length : null;
  const rewardOf = (row, i) => i < 0 ? null : mean(row.answers[i].map((a) => a.reward));

  const FORM = "response.format";
  const SHOW = {
    all: ["All", () => true],
    right: ["Flipped to right", (row, c) => c.both(row) && !row.passes[c.base] && row.passes[c.tuned]],
    wrong: ["Flipped to wrong", (row, c) => c.both(row) && row.passes[c.base] && !row.passes[c.tuned]],
    still: ["Still wrong", (row, c) => c.both(row) && !row.passes[c.base] && !row.passes[c.tuned]],
    passes: ["Passes", (row, c) => row.passes[c.tuned < 0 ? c.base : c.tuned]],
    fails: ["Fails", (row, c) => !row.passes[c.tuned < 0 ? c.base : c.tuned]],
    errors: ["Errors", (row) => row.answers.some((found) => found.some((a) => (a.errors || []).some((e) => e.grader !== FORM)))],
    invalid: ["Not valid", (row) => row.answers.some((found) => found.some((a) => (a.errors || []).some((e) => e.grader === FORM)))],
    truncated: ["Truncated", (row) => row.answers.some((found) => found.some((a) => a.finish))],
  };
  const byReward = (sign, pick) => (a, b, c) => sign * ((pick(b, c) ?? -1e9) - (pick(a, c) ?? -1e9)) || a.row - b.row;
  const change = (row, c) => c.tuned < 0 || c.base < 0 ? 0 : rewardOf(row, c.tuned) - rewardOf(row, c.base);
  const SORT = {
    data: ["in order of the data", (a, b) => a.row - b.row],
    gain: ["largest gain first", byReward(1, change)],
    loss: ["largest loss first", byReward(-1, change)],
    low: ["lowest tuned reward first", byReward(-1, (row, c) => rewardOf(row, c.tuned < 0 ? c.base : c.tuned))],
    length: ["longest answers first", byReward(1, (row, c) => mean(row.answers[c.tuned < 0 ? c.base : c.tuned].map((a) => a.tokens)))],
    spread: ["most undecided first", byReward(1, (row, c) => { const p = mean(row.answers[c.tuned < 0 ? c.base : c.tuned].map((a) => Number(a.pass))); return p * (1 - p); })],
  };

  const fresh = () => ({ split: data.views[0].split, show: "all", sort: "data", q: "", row: null, only: {} });
  let state = fresh();
  let shown = [];
  let picked = {};

  const view = () => data.views.find((v) => v.split === state.split) || data.views[0];
  function cast() {
    const models = view().models;
    const base = models.findIndex((m) => m.role === "base");
    const tuned = models.findIndex((m) => m.role === "tuned");
    return { models, base, tuned, both: (row) => base >= 0 && tuned >= 0 && row.answers[base].length > 0 && row.answers[tuned].length > 0 };
  }

  function haystack(row) {
    if (row.hay === undefined) {
      const texts = row.answers.flat().map((a) => a.text || "");
      row.hay = [row.id, JSON.stringify(row.item), ...texts].join("\n").toLowerCase();
    }
    return row.hay;
  }

  function matches(row, c) {
    const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    return SHOW[state.show][1](row, c)
      && c.models.every((m, i) => !state.only[m.key] || (row.answers[i].length > 0 && row.passes[i] === (state.only[m.key] === "passes")))
      && words.every((word) => haystack(row).includes(word));
  }

  // ── the address ──
  function readHash() {
    state = fresh();
    const [name, ...rest] = location.hash.slice(1).split("&");
    if (name !== "samples" || !rest.length) return false;
    const asked = new URLSearchParams(rest.join("&"));
    if (data.views.some((v) => v.split === asked.get("split"))) state.split = asked.get("split");
    if (Object.hasOwn(SHOW, asked.get("show"))) state.show = asked.get("show");
    if (Object.hasOwn(SORT, asked.get("sort"))) state.sort = asked.get("sort");
    state.q = asked.get("q") || "";
    const row = asked.get("row");
    if (row !== null && view().rows.some((r) => String(r.row) === row)) state.row = Number(row);
    view().models.forEach((m, i) => { const want = asked.get("m" + i); if (want === "passes" || want === "fails") state.only[m.key] = want; });
    return true;
  }
  function writeHash() {
    const parts = new URLSearchParams();
    const start = fresh();
    for (const key of ["split", "show", "sort", "q"]) if (state[key] !== start[key]) parts.set(key, state[key]);
    view().models.forEach((m, i) => { if (state.only[m.key]) parts.set("m" + i, state.only[m.key]); });
    if (state.row !== null) parts.set("row", state.row);
    history.replaceState(null, "", "#samples&" + parts.toString());
  }

  // ── filters ──
  const button = (text, count, pressed, act) => el("button", { type: "button", "aria-pressed": String(pressed), on: { click: act } }, text, count === null ? null : el("small", {}, count));
  function drawFilters() {
    const c = cast();
    $("f-split").replaceChildren(...(data.views.length < 2 ? [] : data.views.map((v) => button(v.split, null, v.split === state.split, () => change_({ split: v.split, row: null, only: {} })))));
    const modes = Object.entries(SHOW).map(([key, [label, test]]) => [key, label, view().rows.filter((row) => test(row, c)).length]);
    $("f-show").replaceChildren(...modes.filter(([key, , n]) => n > 0 || key === state.show).map(([key, label, n]) => button(label, n, key === state.show, () => change_({ show: key }))));
    $("f-models").replaceChildren(...c.models.map((m) => el("label", {}, el("i", { class: "swatch m" + m.paint, "aria-hidden": "true" }), m.label.split(" (")[0],
      el("select", { "data-model": m.key, on: { change: (event) => change_({ only: { ...state.only, [m.key]: event.target.value } }) } },
        ["", "passes", "fails"].map((value) => el("option", { value, selected: (state.only[m.key] || "") === value }, value || "any"))))));
    $("f-sort").replaceChildren(...Object.entries(SORT).map(([key, [label]]) => el("option", { value: key, selected: key === state.sort }, label)));
    if ($("f-search").value !== state.q) $("f-search").value = state.q;
  }
  function change_(changes) {
    const active = document.activeElement;
    const where = active && active.parentElement && active.parentElement.id.startsWith("f-") ? [active.parentElement.id, [...active.parentElement.children].indexOf(active)] : null;
    const model = active && active.dataset ? active.dataset.model : undefined;
    Object.assign(state, changes);
    draw();
    writeHash();
    if (where) $(where[0]).children[where[1]]?.focus();
    if (model !== undefined) [...document.querySelectorAll("#f-models select")].find((s) => s.dataset.model === model)?.focus();
  }

  // ── the list ──
  const pip = (answer, paint) => el("i", { class: "pip" + (answer.pass ? " on" : "") + (answer.errors ? " err" : "") });
  function entry(row, c) {
    const before = c.base < 0 ? null : rewardOf(row, c.base);
    const after = c.tuned < 0 ? null : rewardOf(row, c.tuned);
    const told = [before, after].filter((v) => v !== null).map((v) => v.toFixed(2)).join(" → ");
    const passed = c.models.map((m, i) => `${m.label}: ${row.answers[i].filter((a) => a.pass).length} of ${row.answers[i].length} pass`).join("; ");
    return el("li", {}, el("button", { type: "button", "data-row": row.row, title: passed, on: { click: () => open(row.row) } },
      el("span", { class: "id" }, el("span", {}, row.id), el("span", {}, told)),
      el("span", { class: "pips", "aria-hidden": "true" }, c.models.map((m, i) => el("span", { class: "c" + m.paint }, row.answers[i].slice(0, 12).map((a) => pip(a))))),
      el("span", { class: "vh" }, passed)));
  }
  function draw() {
    drawFilters();
    const c = cast();
    shown = view().rows.filter((row) => matches(row, c)).sort((a, b) => SORT[state.sort][1](a, b, c));
    $("list").replaceChildren(...(shown.length ? shown.map((row) => entry(row, c)) : [el("li", { class: "empty" }, "No row fits. Clear a filter.")]));
    $("count").textContent = `${shown.length} of ${view().rows.length} ${view().split} rows` + (cast().both ? ` · a row passes when at least half of its answers have ${data.pass === "reward" ? "reward ≥ 1" : data.pass}` : "");
    if (!shown.some((row) => row.row === state.row)) state.row = shown.length ? shown[0].row : null;
    drawDetail();
  }
  function mark() {
    for (const b of $("list").querySelectorAll("button")) {
      const on = b.dataset.row === String(state.row);
      if (on) b.setAttribute("aria-current", "true"); else b.removeAttribute("aria-current");
      if (on) { const box = $("list"), top = b.parentElement.offsetTop - box.offsetTop; if (top < box.scrollTop || top + b.offsetHeight > box.scrollTop + box.clientHeight) box.scrollTop = top - box.clientHeight / 3; }
    }
  }
  function open(row) { state.row = row; picked = {}; drawDetail(); writeHash(); $("detail").scrollTop = 0; }
  function step(by) {
    if (!shown.length) return;
    const at = shown.findIndex((row) => row.row === state.row);
    open(shown[Math.max(0, Math.min(shown.length - 1, at + by))].row);
  }

  // ── one row ──
  function hitOf(text, item) {
    for (const [key, value] of Object.entries(item)) if (key !== "messages" && typeof value === "string" && value && value.trim().toLowerCase() === String(text).trim().toLowerCase()) return key;
    return null;
  }
  function pretty(value, item) {
    if (Array.isArray(value) && value.every((v) => v === null || typeof v !== "object")) return el("ol", {}, value.map((v) => { const hit = hitOf(v, item); return el("li", { class: hit ? "hit" : null }, String(v), hit ? el("small", {}, "  = item." + hit) : null); }));
    if (value !== null && typeof value === "object") return el("pre", {}, JSON.stringify(value, null, 1));
    return el("p", {}, String(value));
  }
  function outputBody(answer, item) {
    if (answer.text === null) return el("p", { class: "soft" }, "This text was left out to keep the file small; it stands in samples.jsonl.");
    let value;
    try { value = JSON.parse(answer.text); } catch { value = undefined; }
    if (value === null || typeof value !== "object" || Array.isArray(value)) return el("pre", {}, answer.text || "(empty)");
    return el("div", { class: "value" },
      Object.entries(value).map(([key, found]) => [el("p", { class: "key" }, key), pretty(found, item)]),
      el("details", { class: "raw" }, el("summary", {}, "as written"), el("pre", {}, answer.text)));
  }
  function scoreRows(answer) {
    const line = (name, value, kind) => el("tr", { class: kind || null }, el("th", { scope: "row" }, name), el("td", {}, number(value)));
    return el("table", { class: "scores" }, el("tbody", {}, line("reward", answer.reward, "total"), data.graders.map((n, i) => line(n, answer.scores[i])), data.metrics.map((n, i) => line(n, answer.metrics[i])), line("tokens", answer.tokens)));
  }
  function output(model, i, row) {
    const found = row.answers[i];
    if (!found.length) return el("section", { class: "output p" + model.paint }, el("h4", {}, model.label), el("p", { class: "soft" }, "not measured on this row"));
    const at = Math.min(picked[model.key] || 0, found.length - 1);
    const answer = found[at];
    const choose = (n) => { picked[model.key] = n; drawDetail(); [...document.querySelectorAll(".switch")].find((s) => s.dataset.model === model.key)?.children[n]?.focus(); };
    return el("section", { class: "output p" + model.paint, "aria-label": model.label },
      el("h4", {}, model.label, el("span", { class: "mark " + (answer.pass ? "pass" : "fail") }, answer.pass ? "✓ passes" : "✗ fails")),
      model.note ? el("p", { class: "note" }, model.note) : null,
      found.length > 1 ? el("div", { class: "switch", role: "group", "aria-label": "Answers of " + model.label, "data-model": model.key }, found.map((a, n) => el("button", { type: "button", class: a.errors ? "error" : a.pass ? "pass" : "fail", "aria-pressed": String(n === at), "aria-label": `answer ${n + 1}, ${a.pass ? "passes" : "fails"}, reward ${number(a.reward)}`, title: "reward " + number(a.reward), on: { click: () => choose(n) } }, n + 1))) : null,
      outputBody(answer, row.item),
      (answer.errors || []).map((e) => el("p", { class: "problem" }, `${e.grader}: ${e.kind}${e.detail ? " – " + e.detail : ""}`)),
      answer.finish ? el("p", { class: "problem" }, "cut off at the token limit") : null,
      scoreRows(answer));
  }
  function messages(item) {
    const found = Array.isArray(item.messages) ? item.messages : [];
    return found.map((m) => el("div", { class: "message" }, found.length > 1 || m.role !== "user" ? el("b", {}, m.role) : null, typeof m.content === "string" ? m.content : JSON.stringify(m.content)));
  }
  function drawDetail() {
    mark();
    const row = view().rows.find((r) => r.row === state.row);
    if (!row) { $("detail").replaceChildren(el("p", { class: "empty" }, "No row is chosen.")); return; }
    const fields = Object.entries(row.item).filter(([key]) => key !== "messages" && key !== "id");
    const page = el("div", {},
      el("h3", {}, el("span", {}, row.id), el("button", { type: "button", id: "copy", on: { click: copy } }, "Copy as JSON")),
      el("h4", { class: "part" }, "Prompt"), messages(row.item),
      fields.length ? el("h4", { class: "part" }, "Fields for the graders") : null,
      fields.length ? el("dl", { class: "fields" }, fields.map(([key, value]) => [el("dt", {}, key), el("dd", {}, typeof value === "string" ? value : JSON.stringify(value))])) : null,
      el("h4", { class: "part" }, "Answers"),
      el("div", { class: "outputs" }, cast().models.map((m, i) => output(m, i, row))));
    $("detail").replaceChildren(...page.childNodes);
  }
  async function copy() {
    const row = view().rows.find((r) => r.row === state.row);
    if (!row) return;
    const answers = Object.fromEntries(view().models.map((m, i) => [m.key, row.answers[i].map((a) => ({ ...a, scores: Object.fromEntries(data.graders.map((n, k) => [n, a.scores[k]])), metrics: Object.fromEntries(data.metrics.map((n, k) => [n, a.metrics[k]])) }))]));
    const text = JSON.stringify({ split: view().split, row: row.row, id: row.id, item: row.item, answers }, null, 1);
    let done = true;
    try { await navigator.clipboard.writeText(text); } catch {
      const box = el("textarea", { class: "vh", "aria-hidden": "true" });
      box.value = text; document.body.append(box); box.select(); done = document.execCommand("copy"); box.remove();
    }
    const b = $("copy");
    if (b) { b.textContent = done ? "Copied" : "Could not copy"; setTimeout(() => { b.textContent = "Copy as JSON"; }, 1500); }
  }

  // ── wiring ──
  $("f-search").addEventListener("input", (event) => { state.q = event.target.value; draw(); writeHash(); });
  $("f-sort").addEventListener("change", (event) => change_({ sort: event.target.value }));
  $("f-clear").addEventListener("click", () => { const { split } = state; state = fresh(); change_({ split }); });
  document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "Escape" && event.target === $("f-search")) { state.q = ""; draw(); writeHash(); event.target.blur(); return; }
    if (typing) return;
    const act = { j: () => step(1), k: () => step(-1), "/": () => $("f-search").focus(), c: copy, n: () => { for (const m of view().models) picked[m.key] = (picked[m.key] || 0) + 1; const row = view().rows.find((r) => r.row === state.row); if (row) view().models.forEach((m, i) => { if (row.answers[i].length) picked[m.key] %= row.answers[i].length; }); drawDetail(); } }[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  window.addEventListener("hashchange", () => { if (readHash()) draw(); });
  const asked = readHash();
  $("browser").hidden = false;
  draw();
  if (asked) $("samples").scrollIntoView({ behavior: "instant" });
})();
