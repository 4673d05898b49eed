// Filters of the ledger, marks in the claim graph, inline formulas wider than the page, and folded code on paper.
"use strict";

// ---- the ledger: a menu for each column that has few values, and a search over names; the choice stands in the address
function filters() {
  const table = document.querySelector("table#ledger, #ledger table");
  const place = document.getElementById("filters");
  if (!table || !place) return;
  const heads = [...table.querySelectorAll("thead th")].map((th) => th.textContent.trim());
  const rows = [...table.querySelectorAll("tbody tr")];
  const cell = (row, name) => row.cells[heads.indexOf(name)].textContent.trim();
  const chosen = new URLSearchParams(location.hash.slice(1));
  const menus = ["topic", "verdict", "tier", "form"].map((name) => {
    const menu = document.createElement("select");
    const values = [...new Set(rows.map((row) => cell(row, name)))];
    menu.append(new Option("all", ""), ...values.map((value) => new Option(value, value)));
    menu.value = values.includes(chosen.get(name)) ? chosen.get(name) : "";
    return [name, menu];
  });
  const words = document.createElement("input");
  words.type = "search";
  words.value = chosen.get("words") || "";
  const count = document.createElement("output");
  const label = (text, control) => {
    const box = document.createElement("label");
    box.append(text, control);
    return box;
  };
  place.append(label("words of the name", words), ...menus.map(([name, menu]) => label(name, menu)), count);
  const apply = (event) => {
    const sought = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const name = cell(row, "claim").toLowerCase();
      const fits = menus.every(([column, menu]) => !menu.value || cell(row, column) === menu.value);
      row.hidden = !(fits && sought.every((word) => name.includes(word)));
      shown += !row.hidden;
    }
    count.textContent = `${shown} of ${rows.length} claims`;
    if (!event) return;
    const kept = new URLSearchParams();
    for (const [name, menu] of [...menus, ["words", words]]) if (menu.value) kept.set(name, menu.value);
    history.replaceState(null, "", kept.size ? `#${kept}` : location.pathname + location.search);
  };
  place.addEventListener("input", apply);
  apply();
}

// ---- the graph: what a claim rests on, and what rests on it
function graph() {
  const svg = document.getElementById("graph");
  if (!svg) return;
  const arcs = [...svg.querySelectorAll(".arcs path")];
  const name = (id) => svg.querySelector(`a[id="${id}"]`);
  const clear = () => {
    svg.classList.remove("picked");
    for (const part of svg.querySelectorAll(".rests, .used, .at")) part.classList.remove("rests", "used", "at");
  };
  const pick = (claim) => {
    clear();
    svg.classList.add("picked");
    claim.classList.add("at");
    for (const arc of arcs) {
      const { from, to } = arc.dataset;
      if (from === claim.id) [arc, name(to)].forEach((part) => part.classList.add("rests"));
      if (to === claim.id) [arc, name(from)].forEach((part) => part.classList.add("used"));
    }
  };
  for (const claim of svg.querySelectorAll("a")) {
    claim.addEventListener("pointerenter", () => pick(claim));
    claim.addEventListener("focus", () => pick(claim));
    claim.addEventListener("blur", clear);
  }
  svg.addEventListener("pointerleave", clear);
}

// ---- a formula in a line breaks at its relations; where a part is still wider than the text it scrolls by itself
function formulas() {
  const all = [...document.querySelectorAll("span.formula")];
  for (const formula of all) formula.classList.remove("scrolls");
  const wide = all.filter((formula) => {
    const block = formula.closest("p, li, td, th, dd, figcaption, h1, h2, h3, h4, summary") || document.body;
    const room = block.getBoundingClientRect();
    return [...formula.querySelectorAll(".katex-base")].some((part) => part.getBoundingClientRect().right > room.right + 1);
  });
  for (const formula of wide) formula.classList.add("scrolls");
}

addEventListener("DOMContentLoaded", () => {
  if (document.querySelector("#ledger, #graph")) document.body.classList.add("broad");
  filters();
  graph();
  formulas();
  document.fonts?.ready.then(formulas);
  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(formulas, 150);
  });
});
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details")) part.open = true;
});
