"use strict";
// Shows DATA (data.js, written by book/moving_page.py): nothing is computed here but what is drawn.
const RULES = {
  "independent": "each position draws its step by itself",
  "random-order": "a random order, so many per step",
  "shifted": "steps of equal length, one random shift",
  "halving": "the middle first, then the middles of the halves",
  "left-to-right": "one letter per call, from the left",
  "entropy-bounded": "as many as an entropy budget γ allows (EB-Sampler)",
  "confident": "the most confident positions",
  "drawn-confidence": "draw everywhere, keep the most probable draws (LLaDA)",
};
const SCHEDULES = { "": "none", "linear": "linear", "cosine": "cosine", "even": "even", "best": "best for this language" };
const NUMBERS = ["trajectory", "written", "error", "calls", "perplexity"];
const DIGITS = { trajectory: 4, written: 4, error: 4, calls: 2, perplexity: 3 };
const $ = (id) => document.getElementById(id);
const state = { text: 0, timer: null };

function fill(select, entries) {
  const before = select.value;
  select.replaceChildren(...entries.map(([value, told]) => new Option(told, value)));
  if (entries.some(([value]) => value === before)) select.value = before;
  select.disabled = entries.length < 2;
}

function language() { return DATA.languages[$("language").selectedIndex]; }
function part() { return language().parts[$("length").selectedIndex]; }
function settings() { return part().rules[$("rule").value][$("schedule").value]; }
function setting() { return settings()[$("setting").value]; }
function chosen() { return setting()[$("denoiser").value]; }

function options() {
  fill($("length"), language().parts.map((p) => [String(p.length), String(p.length)]));
  fill($("rule"), Object.keys(part().rules).map((name) => [name, RULES[name]]));
  fill($("schedule"), Object.keys(part().rules[$("rule").value]).map((name) => [name, SCHEDULES[name]]));
  const range = $("setting"), most = settings().length - 1;
  range.max = most;
  if (Number(range.value) > most) range.value = most;
  range.disabled = most === 0;
  $("setting-name").textContent = $("rule").value === "entropy-bounded" ? "Budget" : "Steps";
}

function rewind() {
  const run = chosen().runs[state.text], calls = Math.max(...run.call) + 1;
  $("call").max = calls;
  $("call").value = calls;
}

function shown(number, digits) {
  if (number === null) return ["not computed", ""];
  const [value, low, high] = number.map((v) => (v === "inf" ? Infinity : v));
  const told = (v) => (v === Infinity ? "∞" : v.toFixed(digits));
  if (low === high) return [told(value), "exact"];
  return [told(value), `between ${told(low)} and ${told(high)} (sampled)`];
}

function clashes(run, j) {
  // pairs of neighbours, both written by call j, that the language never holds
  const never = new Set(language().never.map(([a, b]) => a + "," + b)), found = [];
  for (let i = 0; i + 1 < run.x.length; i++) {
    const known = [i, i + 1].every((k) => run.call[k] >= 0 && run.call[k] < j);
    if (known && never.has(run.x[i] + "," + run.x[i + 1])) found.push(i);
  }
  return found;
}

function drawText() {
  const run = chosen().runs[state.text], j = Number($("call").value), calls = Number($("call").max);
  const bad = clashes(run, j), letters = language().letters;
  const spans = run.x.map((token, i) => {
    const span = document.createElement("span");
    const known = run.call[i] >= 0 && run.call[i] < j;
    span.textContent = !known ? "·" : letters[token] === " " ? "␣" : letters[token];
    if (!known) span.className = "m";
    else if (bad.includes(i) || bad.includes(i - 1)) span.className = "b";
    else if (run.call[i] === j - 1) span.className = "n";
    return span;
  });
  $("text").replaceChildren(...spans);
  $("text").setAttribute("aria-label", "after call " + j + ": " + spans.map((s) => s.textContent).join(" "));
  $("call-label").textContent = j + " of " + calls;
  const now = run.call.filter((c) => c === j - 1).length;
  const parts = [j === 0 ? "Nothing is written yet." : `Call ${j} wrote ${now} letter${now === 1 ? "" : "s"}.`];
  if (bad.length) {
    const together = bad.some((i) => run.call[i] === run.call[i + 1]);
    parts.push(`${bad.length} pair${bad.length === 1 ? "" : "s"} of neighbours that the language forbids` +
      (together ? ": letters of one call did not see each other." : "."));
  }
  if (run.stuck && j === calls) parts.push("The run is stuck: after such letters the language has no law.");
  $("happened").textContent = parts.join(" ");
}

function drawNumbers() {
  const numbers = chosen().numbers;
  for (const name of NUMBERS) {
    const [value, how] = shown(numbers[name], DIGITS[name]);
    $(name).textContent = value;
    $(name).nextElementSibling.textContent = how;
  }
  $("legend").textContent = `${language().told}, ${part().length} letters. Exact numbers are computed from the law of ` +
    `the sampler; sampled ones from ${DATA.sampled} runs, or 300 texts of the language, at confidence ${DATA.confidence}. ` +
    "The first two rows are KL divergences from the language; the second is never larger.";
  $("setting-label").textContent = setting().label;
}

function drawCurve() {
  const g = part().g, L = g.length, cuts = setting().cuts, top = Math.max(...g) * 1.08;
  const X = (k) => 50 + 570 * k / L, Y = (v) => 205 - 190 * v / top;
  // g[k] stands over [k, k + 1]; between whole numbers of known letters the curve is interpolated
  const at = (k) => { const i = Math.min(L - 1, Math.floor(k)), n = Math.min(L - 1, i + 1); return g[i] + (k - i) * (g[n] - g[i]); };
  let areas = "";
  for (let j = 0; j + 1 < cuts.length; j++) {
    const a = cuts[j], b = cuts[j + 1], height = at(Math.min(a, L - 1));
    if (b <= a) continue;
    let path = `M${X(a)} ${Y(height)}H${X(b)}`;
    for (let s = 24; s >= 0; s--) { const k = a + (b - a) * s / 24; path += `L${X(k)} ${Y(at(Math.min(k, L - 1)))}`; }
    areas += `<path class="area" d="${path}Z"/><path class="bar" d="M${X(a)} ${Y(0)}V${Y(height)}H${X(b)}V${Y(0)}"/>`;
  }
  const line = g.map((v, k) => `${k ? "L" : "M"}${X(k)} ${Y(v)}`).join("") + `L${X(L)} ${Y(g[L - 1])}`;
  const ticks = [0, L / 2, L].map((k) => `<text x="${X(k)}" y="224" text-anchor="middle">${k}</text>`).join("");
  $("curve").innerHTML = areas + `<path class="line" d="${line}"/><path class="axis" d="M50 15V205H620"/>` + ticks +
    `<text x="44" y="${Y(0)}" text-anchor="end">0</text><text x="44" y="${Y(g[0]) + 5}" text-anchor="end">${g[0].toFixed(2)}</text>` +
    `<text x="335" y="243" text-anchor="middle">letters already known, k</text><text x="58" y="14">nats</text>`;
  const lost = cuts.length > 1;
  $("curve").setAttribute("aria-label", "The uncertainty of a letter falls as more letters are known" +
    (lost ? "; the area between steps and curve is what the steps lose." : "."));
  $("curve-told").textContent = "Blue: the uncertainty (entropy) of a letter, g(k), when k others chosen at random are known. " +
    (lost ? "A step draws all its letters at the uncertainty of its beginning: the area between the steps and the curve is " +
      "what is lost, the extra nats of the text and its order" +
      ($("rule").value === "independent" ? " (drawn at the mean numbers of known letters)." : ".")
      : "This rule chooses positions otherwise than at random; the curve does not give its cost.");
}

function drawLaw() {
  const number = chosen().numbers.perplexity, own = Math.exp(part().g.reduce((a, b) => a + b, 0) / part().length);
  const error = chosen().numbers.error;
  if (number === null || number[0] === "inf") { $("law-told").textContent = "No possible text was written."; return; }
  const [value, low, high] = number, wrong = chosen().numbers.written;
  const clear = low === high ? Math.abs(value - own) > 5e-4 : own < low || own > high;
  const told = `Texts of the language itself have perplexity ${own.toFixed(3)} per letter; the possible texts of this sampler ${value.toFixed(3)}. `;
  if (!clear) $("law-told").textContent = told + "The two do not differ measurably.";
  else if (value < own) {
    $("law-told").textContent = told + "Lower is not better: it writes likely texts too often" +
      (wrong === null ? "." : `, and is ${shown(wrong, 4)[0]} nats per letter away from the language.`);
  } else $("law-told").textContent = told + (error[0] > 0 ? `And a share ${error[0].toFixed(3)} of its texts is none of the language.` : "");
}

function draw() { drawText(); drawNumbers(); drawCurve(); drawLaw(); }
function changed() { stop(); options(); rewind(); draw(); }
function stop() { clearInterval(state.timer); state.timer = null; $("play").textContent = "Play"; }

function play() {
  if (state.timer) { stop(); return; }
  if (Number($("call").value) >= Number($("call").max)) $("call").value = 0;
  drawText();
  $("play").textContent = "Pause";
  state.timer = setInterval(() => {
    $("call").value = Number($("call").value) + 1;
    drawText();
    if (Number($("call").value) >= Number($("call").max)) stop();
  }, 700);
}

fill($("language"), DATA.languages.map((l) => [l.name, l.told]));
$("language").value = "english";
fill($("denoiser"), [["exact", "exact"], ["sharpened", `sharpened (probabilities to the power ${DATA.sharp})`]]);
options();
$("length").selectedIndex = part().length ? language().parts.length - 1 : 0;
options();
$("setting").value = Math.min(3, settings().length - 1);
for (const id of ["language", "length", "rule", "schedule", "denoiser"]) $(id).addEventListener("change", changed);
$("setting").addEventListener("input", changed);
$("call").addEventListener("input", () => { stop(); drawText(); });
$("play").addEventListener("click", play);
$("another").addEventListener("click", () => { state.text = (state.text + 1) % chosen().runs.length; stop(); rewind(); drawText(); });
for (const form of document.forms) form.addEventListener("submit", (event) => event.preventDefault());
rewind();
draw();
