// Charts by uPlot; arrow keys speak.
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const plain = (v, most = Math.abs(v)) => most >= 1e9 || (v && most < 1e-3) ? v.toExponential(2) : most < 999.95 ? +v.toPrecision(4) + "" : Math.round(v).toLocaleString("en");
const shown = (v, plus) => v == null ? "–" : (plus ? (v < 0 ? "" : "+") + v.toFixed(2) : plain(v)).replaceAll("-", "−");

const DAY = "{YYYY}-{MM}-{DD}";
const clock = (from_s, text, day = "\n" + DAY) => [from_s, text, day, null, day, null, null, null, 1];
const CLOCKS = [clock(86400, DAY, null), clock(60, "{HH}:{mm}"), clock(0, "{HH}:{mm}:{ss}")];

const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) { seen.unobserve(target); mount(target); }
}, { rootMargin: "200px" });
for (const box of document.querySelectorAll("[data-chart]")) seen.observe(box);

// A zoomed view stays.
const REST_MS = 3000;
const drawn = new Map();
let coming = 0;
document.addEventListener("weighbridge:new", () => {
  coming ||= setTimeout(() => { coming = 0; for (const [box, one] of drawn) { draw(box); one.follow?.(); } }, REST_MS);
});

function mount(box) {
  drawn.set(box, {});
  const budget = budgetOf(box);
  keys(box);
  if (budget) slide(box, budget);
  new ResizeObserver(() => drawn.get(box).chart?.setSize(size(box))).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.get(box).chart?.redraw());
  draw(box);
}

// Nothing while the database is away.
async function get(url, as) {
  const answer = await fetch(url, { headers: { "HX-Request": 1 } }).catch(() => 0);
  return answer.status === 200 ? answer[as]() : null;
}

async function draw(box) {
  const one = drawn.get(box), found = await get(box.dataset.chart, "json");
  if (!found?.series.length) {
    if (!one.chart) box.textContent = found ? "No points yet." : "No points can be fetched; trying again.";
    if (!found) setTimeout(() => document.dispatchEvent(new Event("weighbridge:new")), REST_MS);
    return;
  }
  const same = one.chart && names(one.found) === names(found);
  const { min, max } = one.chart?.scales.x ?? {};
  const zoomed = same && (min > one.chart.data[0][0] || max < one.chart.data[0].at(-1));
  one.found = found;
  if (same) { one.chart.setData(aligned(found), !zoomed); if (zoomed) one.chart.redraw(); return; }
  one.chart?.destroy();
  box.textContent = "";
  one.chart = new uPlot(options(found, box), aligned(found), box);
}

const budgetOf = (box) => box.dataset.budgetTo && document.querySelector("[data-budget]");
const names = (found) => found.series.map((one) => one.name).join("\n");

const size = (box) => ({ width: box.clientWidth, height: box.classList.contains("low") ? 240 : box.clientWidth < 600 ? 300 : 380 });
const place = (found, x) => found.time && x != null ? new Date(x * 1e3).toISOString().slice(0, 19).replace("T", " ") + " UTC" : shown(x);

function aligned(found) {
  // A step holds on.
  const all = [...new Set(found.series.flatMap((one) => one.x))].sort((a, b) => a - b);
  const columns = found.series.map((one) => {
    const at = new Map(one.x.map((x, i) => [x, one.y[i]]));
    const end = one.x.at(-1);
    let last = null;
    return all.map((x) => x > end ? null : at.has(x) ? (last = at.get(x)) : found.kind === "steps" ? last : undefined);
  });
  return [all, ...columns];
}

// From a round number to the last point.
function ends(_, low, high) {
  const unit = 10 ** Math.floor(Math.log10(low)), from = low - low % unit;
  return [from, Math.max(high, from * 2)];
}

function options(found, box) {
  const budget = budgetOf(box);
  const rule = { stroke: () => css("--rule"), width: 1 };
  const axis = (label, time) => ({ label, stroke: () => css("--soft"), grid: rule, ticks: rule, values: time ? CLOCKS : (_, splits) => splits.map((v) => v == null ? "" : shown(v)) });
  return {
    ...size(box),
    tzDate: (s) => uPlot.tzDate(new Date(s * 1e3), "UTC"),
    scales: { x: { time: !!found.time, ...found.log ? { distr: 3, range: ends } : {} }, y: found.within ? { range: (_, low, high) => [found.within[0], found.within[1] ?? high * 1.05] } : {} },
    axes: [{ space: 75, ...axis(found.x, found.time), ...found.to < 99 * found.from ? { filter: (_, all) => all.map((v) => /^[125]/.test(v.toExponential()) ? v : null) } : {}, ...found.whole ? { incrs: [1, 10, 100, 1e3, 1e4, 1e5].flatMap((one) => [one, 2 * one, 5 * one]) } : {} }, { ...axis(found.y), size: 70 }],
    cursor: { focus: { prox: 24 } }, focus: { alpha: 0.3 },
    series: [{ label: found.x, value: (_, v) => place(found, v) }, ...found.series.map((one) => ({
      label: one.name, stroke: one.colour, width: 2, dash: one.dash, spanGaps: true, points: { show: false },
      paths: found.kind === "steps" ? uPlot.paths.stepped({ align: 1 }) : undefined, value: (_, v) => shown(v, found.signed),
    }))],
    hooks: { draw: [(u) => {
      if (!budget) return;
      const { from, to, said } = drawn.get(box).found, at = budget.value / 100;
      budget.ariaValueText = budget.form.querySelector("output").value = said[budget.value];
      const x = u.valToPos(from * (to / from) ** at, "x", true), { ctx, bbox: { top, height } } = u;
      ctx.save(); ctx.strokeStyle = css("--accent"); ctx.setLineDash([6, 4]);
      ctx.stroke(new Path2D(`M${x} ${top}v${height}`)); ctx.restore();
    }] },
  };
}

function slide(box, budget) {
  let asked = 0;
  const here = () => { const url = new URL(location.href); url.searchParams.set("budget", budget.value); return url; };
  const follow = async () => {
    const text = await get(`${here().pathname}/at_budget${here().search}`, "text");
    // escaped by its template
    if (text) document.querySelector(box.dataset.budgetTo).innerHTML = text;
  };
  drawn.get(box).follow = follow;
  follow();
  budget.oninput = () => {
    drawn.get(box).chart?.redraw(false);
    history.replaceState(null, "", here());
    clearTimeout(asked);
    asked = setTimeout(follow, 120);
  };
}

function keys(box) {
  const said = document.createElement("p");
  said.className = "spoken"; said.ariaLive = "polite";
  box.after(said);
  box.tabIndex = 0;
  let at = -1;
  box.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const { chart, found } = drawn.get(box);
    if (!step || !chart) return;
    event.preventDefault();
    at = Math.min(Math.max(at + step, 0), chart.data[0].length - 1);
    chart.setCursor({ left: chart.valToPos(chart.data[0][at], "x"), top: 0 });
    const values = found.series.map((one, i) => `${one.name} ${shown(chart.data[i + 1][at], found.signed)}`);
    said.textContent = `${found.x} ${place(found, chart.data[0][at])}: ${values.join(", ")}`;
  });
}
