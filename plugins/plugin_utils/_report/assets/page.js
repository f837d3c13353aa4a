/* Copyright: (c) 2026, tcpops.timewait contributors
   GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
   SPDX-License-Identifier: GPL-3.0-or-later */
"use strict";
(() => {
  const SLICE = 200;
  const STRIP = 2000;
  const RANK = { CRITICAL: 5, HIGH: 4, MEDIUM: 3, LOW: 2, INFO: 1 };
  const data = JSON.parse(document.getElementById("data").textContent);
  const host = (r) => ({ name: r[0], status: r[1], reason: r[2], worst: r[3], findings: r[4], use: r[5], pools: r[6],
    timeWait: r[7], bytes: r[8], kernel: r[9], gaps: r[10] });
  const pool = (r) => ({ host: r[0], namespace: r[1], direction: r[2], subject: r[3], used: r[4], capacity: r[5],
    assumed: r[6], use: r[7], rate: r[8], sustainable: r[9], left: r[10], timeWait: r[11], history: r[12], reusable: r[13] });
  const item = (r) => ({ host: r[0], namespace: r[1], subject: r[2], evidence: r[3], remedy: r[4], note: r[5], use: r[6] });
  const hosts = data.hosts.map(host);
  const pools = data.pools.map(pool);
  for (const group of data.groups) group.items = group.items.map(item);

  // Nothing of a host ever becomes markup: elements are made here, and text is only text.
  function el(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name === "onclick") made.addEventListener("click", value);
      else if (value !== null && value !== undefined) made.setAttribute(name, value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }
  function shape(tag, attributes, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }
  const count = (n) => Math.round(n).toString().replace(/\B(?=(\d{3})+$)/g, "\u202f");
  const share = (u) => (u > 0 && u < 0.01 ? "<1" : Math.round(u * 100)) + "\u202f%";
  const several = (n, one, many) => `${count(n)} ${n === 1 ? one : many || one + "s"}`;
  function size(bytes) {
    const units = ["B", "KiB", "MiB", "GiB"];
    let unit = 0;
    while (bytes >= 1024 && unit < 3) { bytes /= 1024; unit += 1; }
    return `${bytes >= 10 || unit === 0 ? Math.round(bytes) : bytes.toFixed(1)} ${units[unit]}`;
  }
  function span(seconds) {
    if (seconds === null) return "–";
    if (seconds < 120) return `${Math.round(seconds)} s`;
    return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
  }
  // A host with notes alone needs nothing: it is as good as one without.
  const fine = (h) => h.worst === "" || h.worst === "INFO";
  const look = (h) => (h.status !== "audited" ? "missing" : fine(h) ? "good" : h.worst.toLowerCase());
  const label = (h) => (h.status !== "audited" ? h.status.toUpperCase() : fine(h) ? "OK" : h.worst);
  const tag = (kind, text) => el("span", { class: `tag ${kind}` }, text);

  // What connect() may take over is drawn pale: it is held, and not in the way.
  function bar(use, taken = use) {
    const width = 120;
    const full = Math.min(taken, 1) * width;
    const kind = taken >= 0.8 ? "full high" : taken >= 0.5 ? "full medium" : "full";
    return shape("svg", { width, height: 14, viewBox: `0 0 ${width} 14`, "aria-hidden": "true" },
      shape("rect", { class: "back", y: 2, width, height: 10, rx: 2 }),
      shape("rect", { class: "reusable", y: 2, width: Math.min(use, 1) * width, height: 10, rx: 2 }),
      shape("rect", { class: kind, y: 2, width: taken > 0 ? Math.max(full, 1.5) : 0, height: 10, rx: 2 }),
      ...[0.5, 0.8].map((mark) => shape("line", { class: "tick", x1: mark * width, x2: mark * width, y1: 0, y2: 14 })));
  }
  const usage = (use, taken) => el("span", { class: "use" }, bar(use, taken), el("span", {}, share(use)));
  const taken = (p) => (p.capacity ? Math.max(0, p.used - p.reusable) / p.capacity : p.use);
  function spark(history) {
    const width = 120, height = 22;
    const top = Math.max(1, ...history);
    const step = width / Math.max(history.length - 1, 1);
    const points = history.map((n, i) => `${(i * step).toFixed(1)},${(height - 2 - (n / top) * (height - 4)).toFixed(1)}`);
    const most = history.length ? Math.max(...history) : 0;
    const told = history.length ? `last minute: at most ${count(most)} a second` : "no history";
    return shape("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": told },
      shape("title", {}, told),
      shape("line", { class: "base", x1: 0, x2: width, y1: height - 1, y2: height - 1 }),
      shape("polyline", { class: "spark", points: points.join(" ") }));
  }

  let quiet = 0;
  function say(text) {
    document.getElementById("said").textContent = text;
    clearTimeout(quiet);
    quiet = setTimeout(() => { document.getElementById("said").textContent = ""; }, 2500);
  }
  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch (refused) {
      // A file opened from disk has no clipboard in some browsers: the old way still works.
      const area = el("textarea", { "aria-hidden": "true", readonly: "" });
      area.value = text;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      if (!done) { say("Copying is not allowed here: select the text"); return; }
    }
    say("Copied");
  }
  const copyButton = (text) => el("button", { type: "button", class: "copy", onclick: () => copy(text) }, "Copy");
  const remedy = (text) => el("div", { class: "remedy" }, el("pre", {}, el("code", {}, text)), copyButton(text));

  // A table that sorts, filters, and only ever renders a slice.
  function table(mount, options) {
    const { columns, rows, words, detail } = options;
    let sorted = -1, ascending = true, shown = SLICE, filter = "", found = rows;
    const body = el("tbody");
    const told = el("span", { class: "shown", "aria-live": "polite" });
    const more = el("button", { type: "button", class: "more", onclick: () => { shown += SLICE; render(); } });
    const heads = columns.map((column, index) => el("th", { scope: "col", class: column.number ? "number" : null, "aria-sort": "none" },
      el("button", { type: "button", onclick: () => sort(index) }, column.title)));
    const input = el("input", { type: "search", placeholder: "Filter", "aria-label": `Filter ${options.name}` });
    let timer = 0;
    input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(() => narrow(input.value), 80); });
    const texts = new Map();
    function text(row) {
      if (!texts.has(row)) texts.set(row, words(row).join(" ").toLowerCase());
      return texts.get(row);
    }
    function narrow(value) {
      filter = value.trim().toLowerCase();
      shown = SLICE;
      arrange();
    }
    function sort(index) {
      ascending = sorted === index ? !ascending : !columns[index].number;
      sorted = index;
      heads.forEach((head, place) => head.setAttribute("aria-sort", place !== index ? "none" : ascending ? "ascending" : "descending"));
      arrange();
    }
    function arrange() {
      const parts = filter.split(/\s+/).filter(Boolean);
      found = parts.length ? rows.filter((row) => parts.every((part) => text(row).includes(part))) : rows.slice();
      if (sorted >= 0) {
        const key = columns[sorted].key;
        const order = ascending ? 1 : -1;
        const collator = new Intl.Collator("en", { numeric: true });
        found.sort((a, b) => {
          const x = key(a), y = key(b);
          if (typeof x === "number" && typeof y === "number") return (x - y) * order;
          return collator.compare(String(x), String(y)) * order;
        });
      }
      render();
    }
    function render() {
      const slice = found.slice(0, shown);
      body.replaceChildren(...slice.map(line));
      told.textContent = found.length === rows.length ? several(rows.length, options.one) : `${count(found.length)} of ${count(rows.length)}`;
      more.hidden = found.length <= shown;
      more.textContent = `Show ${Math.min(SLICE, found.length - shown)} more of ${count(found.length)}`;
    }
    function line(row) {
      const made = el("tr", {}, ...columns.map((column) => {
        const shownAs = column.show(row);
        return el("td", { class: [column.number ? "number" : column.class, column.odd && column.odd(row) ? "odd" : ""].join(" ").trim() || null },
          column.odd ? el("span", {}, shownAs) : shownAs);
      }));
      if (detail) {
        const button = el("button", { type: "button", class: "open", "aria-expanded": "false", onclick: () => toggle() }, "Details");
        const toggle = () => {
          const isOpen = button.getAttribute("aria-expanded") === "true";
          button.setAttribute("aria-expanded", String(!isOpen));
          if (isOpen) made.nextSibling.remove();
          else made.after(el("tr", { class: "detail" }, el("td", { colspan: columns.length + 1 }, ...detail(row))));
        };
        made.append(el("td", {}, button));
      }
      return made;
    }
    mount.append(
      rows.length > 8 ? el("div", { class: "bar-of-table" }, input, told) : "",
      el("div", { class: "table", tabindex: "0", role: "region", "aria-label": options.name },
        el("table", {}, el("thead", {}, el("tr", {}, ...heads, detail ? el("th", { scope: "col" }, "") : null)), body), more));
    arrange();
    return { narrow: (value) => { input.value = value; narrow(value); }, body };
  }

  const subject = (row) => (row.namespace && row.namespace !== "host" ? `${row.namespace}: ` : "") + row.subject;
  const poolColumns = (withHost) => [
    ...(withHost ? [{ title: "Host", class: "id", key: (p) => p.host, show: (p) => p.host }] : []),
    { title: "Pool", class: "subject", key: subject, show: subject },
    { title: "Direction", key: (p) => p.direction, show: (p) => p.direction },
    { title: "Utilisation", number: true, key: (p) => p.use, show: (p) => usage(p.use, taken(p)) },
    { title: "Used of capacity", number: true, key: (p) => p.used, show: (p) => `${count(p.used)} of ${count(p.capacity)}${p.assumed ? " assumed" : ""}${p.reusable ? `, ${count(p.reusable)} reusable` : ""}` },
    { title: "Closes/s", number: true, key: (p) => p.rate, show: (p) => `${count(p.rate)} of ${count(p.sustainable)}` },
    { title: "Exhausted in", number: true, key: (p) => (p.left === null ? Infinity : p.left), show: (p) => span(p.left) },
    { title: "Last minute", key: (p) => Math.max(0, ...p.history), show: (p) => spark(p.history) },
  ];
  const poolWords = (p) => [p.host, p.namespace, p.direction, p.subject];

  function details(h) {
    if (h.status !== "audited") return [el("p", {}, `${h.status}: ${h.reason}`)];
    const made = [];
    const mine = data.groups.flatMap((group) => group.items.filter((i) => i.host === h.name).map((i) => [group, i]));
    made.push(el("h3", {}, "Findings"));
    for (const [group, found] of mine) {
      made.push(el("p", {}, tag(group.severity.toLowerCase(), group.severity), ` ${group.title} `, el("span", { class: "id" }, `${group.id} ${subject(found)}`)));
      made.push(el("ul", { class: "evidence" }, ...found.evidence.map((told) => el("li", {}, told))));
      if (found.remedy) made.push(remedy(found.remedy));
      if (found.note) made.push(el("p", { class: "note" }, found.note));
    }
    if (mine.length < h.findings) made.push(el("p", { class: "note" }, `${several(h.findings - mine.length, "more is", "more are")} in audit.json.`));
    if (!h.findings) made.push(el("p", {}, "None."));
    const its = pools.filter((p) => p.host === h.name);
    made.push(el("h3", {}, "Pools"));
    if (its.length) {
      const mount = el("div");
      table(mount, { name: `pools of ${h.name}`, one: "pool", columns: poolColumns(false), rows: its, words: poolWords });
      made.push(mount);
    }
    if (its.length < h.pools) made.push(el("p", { class: "note" }, `${several(h.pools - its.length, "pool", its.length ? "less used pools" : "pools")} in audit.json.`));
    if (!h.pools) made.push(el("p", {}, "None."));
    if (h.gaps.length) made.push(el("h3", {}, "Could not be read"), el("ul", { class: "evidence" }, ...h.gaps.map((gap) => el("li", {}, gap))));
    return made;
  }

  function strip(open) {
    const mount = document.getElementById("strip");
    const shown = hosts.slice(0, STRIP);
    const few = shown.length <= 8;
    const cells = shown.map((h, index) => {
      const told = `${h.name}: ${label(h)}${h.status === "audited" ? `, worst pool ${share(h.use)}` : ""}`;
      return el("button", { type: "button", class: look(h), title: told, "aria-label": told, tabindex: index ? "-1" : "0", onclick: () => open(h) },
        few ? el("span", {}, h.name) : null);
    });
    const cellsBox = el("div", { class: few ? "strip few" : "strip", role: "group", "aria-label": "Hosts, those not audited and the worst first; arrow keys move" }, ...cells);
    // One tab stop for all cells: nobody wants to press Tab two thousand times.
    cellsBox.addEventListener("keydown", (event) => {
      const at = cells.indexOf(document.activeElement);
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: cells.length - 1 }[event.key];
      if (to === undefined || !cells[to]) return;
      cells[at].tabIndex = -1;
      cells[to].tabIndex = 0;
      cells[to].focus();
      event.preventDefault();
    });
    const kinds = new Map();
    for (const h of hosts) kinds.set(look(h), (kinds.get(look(h)) || 0) + 1);
    const names = { good: "OK", missing: "not audited" };
    mount.append(cellsBox, el("p", { class: "legend" },
      ...[...kinds].map(([kind, n]) => el("span", { class: kind }, `${names[kind] || kind.toUpperCase()}: ${several(n, "host")}`)),
      hosts.length > STRIP ? `${count(hosts.length - STRIP)} hosts more, no worse than these, are in the table` : null));
  }

  function matrix() {
    const rows = hosts.filter((h) => h.status === "audited");
    const usual = data.columns.map((unused, index) => {
      const seen = new Map();
      for (const h of rows) seen.set(h.kernel[index], (seen.get(h.kernel[index]) || 0) + 1);
      let best = null, most = 0;
      for (const [value, n] of seen) if (n > most) { best = value; most = n; }
      return best;
    });
    table(document.querySelector("#kernel .mount"), { name: "kernel and sysctls", one: "host", rows,
      words: (h) => [h.name, ...h.kernel],
      columns: [{ title: "Host", class: "id", key: (h) => h.name, show: (h) => h.name },
        ...data.columns.map((title, index) => ({ title, class: "value", key: (h) => h.kernel[index], show: (h) => h.kernel[index] || "–",
          odd: (h) => h.kernel[index] !== usual[index] }))] });
  }

  function groups() {
    for (const box of document.querySelectorAll("details[data-group]")) {
      const group = data.groups[Number(box.dataset.group)];
      const code = box.querySelector(".worst .remedy");
      if (code) code.append(copyButton(code.textContent.trim()));
      const fill = () => {
        if (!box.open || box.dataset.filled) return;
        box.dataset.filled = "yes";
        if (group.items.length < 2) return;
        const columns = [{ title: "Host", class: "id", key: (i) => i.host, show: (i) => i.host },
          { title: "Subject", class: "subject", key: subject, show: subject }];
        if (group.items.some((i) => i.use !== null)) columns.push({ title: "Utilisation", number: true, key: (i) => i.use || 0, show: (i) => (i.use === null ? "" : usage(i.use)) });
        columns.push({ title: "Evidence", class: "long", key: (i) => i.evidence.join("; "), show: (i) => i.evidence.join("; ") });
        table(box.querySelector(".items"), { name: `findings ${group.id}`, one: "finding", columns, rows: group.items,
          words: (i) => [i.host, i.namespace, i.subject, ...i.evidence],
          detail: (i) => [i.remedy ? remedy(i.remedy) : el("p", {}, "No command."), ...(i.note ? [el("p", { class: "note" }, i.note)] : [])] });
        if (group.items.length < group.count) box.querySelector(".items").append(el("p", { class: "note" }, `${several(group.count - group.items.length, "more is", "more are")} in audit.json.`));
      };
      box.addEventListener("toggle", fill);
      fill();
    }
  }

  function tools() {
    const root = document.documentElement;
    const dark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
    const theme = el("button", { type: "button", id: "theme", onclick: () => { root.dataset.theme = dark() ? "light" : "dark"; name(); } });
    const name = () => { theme.textContent = dark() ? "Light" : "Dark"; };
    name();
    document.getElementById("tools").append(theme, el("button", { type: "button", onclick: () => print() }, "Print"));
    // Paper cannot unfold anything.
    addEventListener("beforeprint", () => {
      for (const box of document.querySelectorAll("details")) {
        box.open = true;
        box.dispatchEvent(new Event("toggle"));
      }
    });
  }

  const hostTable = table(document.querySelector("#hosts .mount"), { name: "hosts", one: "host", rows: hosts,
    words: (h) => [h.name, label(h), h.reason, h.kernel[0] || ""], detail: details,
    columns: [{ title: "Host", class: "id", key: (h) => h.name, show: (h) => h.name },
      { title: "Worst", key: (h) => (h.status === "audited" ? RANK[h.worst] || 0 : 9), show: (h) => tag(look(h), label(h)) },
      { title: "Findings", number: true, key: (h) => h.findings, show: (h) => count(h.findings) },
      { title: "Fullest pool", number: true, key: (h) => h.use, show: (h) => usage(h.use) },
      { title: "TIME-WAIT", number: true, key: (h) => h.timeWait, show: (h) => count(h.timeWait) },
      { title: "Memory", number: true, key: (h) => h.bytes, show: (h) => size(h.bytes) }] });
  table(document.querySelector("#pools .mount"), { name: "pools", one: "pool", rows: pools, columns: poolColumns(true), words: poolWords });
  matrix();
  groups();
  strip((h) => {
    hostTable.narrow(hosts.length > 8 ? h.name : "");
    const row = [...hostTable.body.children].find((tr) => tr.firstChild.textContent === h.name);
    if (!row) return;
    const button = row.querySelector("button.open");
    if (button.getAttribute("aria-expanded") === "false") button.click();
    document.getElementById("hosts").scrollIntoView();
    button.focus({ preventScroll: true });
  });
  tools();
})();
