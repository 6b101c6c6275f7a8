// Charts by uPlot: fetched when they come into view, moved along by arrow keys, told to screen readers.
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const shown = (value) => value == null ? "–" : Math.abs(value) >= 1e4 || (value && Math.abs(value) < 1e-3) ? value.toExponential(2) : +value.toPrecision(4) + "";

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) { seen.unobserve(entry.target); mount(entry.target); }
}, { rootMargin: "200px" });
for (const box of document.querySelectorAll("[data-chart]")) seen.observe(box);

// What is drawn moves on with the page, at most every few seconds; where someone has zoomed in, the view stays.
const REST_MS = 3000;
const drawn = new Map();
let coming = 0;
document.addEventListener("weighbridge:new", () => {
  coming ||= setTimeout(() => { coming = 0; for (const [box, one] of drawn) { draw(box); one.follow?.(); } }, REST_MS);
});

async function mount(box) {
  drawn.set(box, {});
  const budget = box.dataset.budgetTo && document.querySelector("[data-budget]");
  keys(box);
  if (budget) slide(box, budget);
  new ResizeObserver(() => drawn.get(box).chart?.setSize({ width: box.clientWidth, height: height(box) })).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.get(box).chart?.redraw());
  await draw(box);
}

async function draw(box) {
  const one = drawn.get(box);
  const answer = await fetch(box.dataset.chart).catch(() => null);
  const found = answer?.ok ? await answer.json() : null;
  if (!found?.series.length) { if (!one.chart) box.textContent = "No points to draw yet."; return; }
  const same = one.chart && names(one.found) === names(found);
  const { min, max } = one.chart?.scales.x ?? {};
  const zoomed = same && (min > one.chart.data[0][0] || max < one.chart.data[0].at(-1));
  one.found = found;
  if (same) { one.chart.setData(aligned(found), !zoomed); if (zoomed) one.chart.redraw(); return; }
  one.chart?.destroy();
  box.textContent = "";
  one.chart = new uPlot(options(found, box), aligned(found), box);
}

const names = (found) => found.series.map((one) => one.name).join("\n");

const height = (box) => box.clientWidth < 600 ? 300 : 380;

function aligned(found) {
  // One x axis for all: a step holds until the next, and ends with the last.
  const all = [...new Set(found.series.flatMap((one) => one.x))].sort((a, b) => a - b);
  const columns = found.series.map((one) => {
    const at = new Map(one.x.map((x, i) => [x, one.y[i]]));
    const end = one.x.at(-1);
    let last = null;
    return all.map((x) => x > end ? null : at.has(x) ? (last = at.get(x)) : found.kind === "steps" ? last : undefined);
  });
  return [all, ...columns];
}

function options(found, box) {
  const budget = box.dataset.budgetTo && document.querySelector("[data-budget]");
  const axis = (label) => ({ label, stroke: () => css("--soft"), grid: { stroke: () => css("--rule"), width: 1 }, ticks: { stroke: () => css("--rule") }, values: (_, splits) => splits.map((v) => v == null ? "" : shown(v)) });
  return {
    width: box.clientWidth, height: height(box),
    scales: { x: { time: false, distr: found.log ? 3 : 1 } },
    axes: [axis(found.x), { ...axis(found.y), size: 70 }],
    cursor: { focus: { prox: 24 } }, focus: { alpha: 0.3 },
    series: [{ label: found.x, value: (_, v) => shown(v) }, ...found.series.map((one) => ({
      label: one.name, stroke: one.colour, width: 2, dash: one.dash, spanGaps: true, points: { show: false },
      paths: found.kind === "steps" ? uPlot.paths.stepped({ align: 1 }) : undefined, value: (_, v) => shown(v),
    }))],
    hooks: { draw: [(u) => {
      if (!budget) return;
      const x = u.valToPos(amount(drawn.get(box).found, budget.value), "x", true);
      u.ctx.save(); u.ctx.strokeStyle = css("--accent"); u.ctx.setLineDash([6, 4]); u.ctx.beginPath();
      u.ctx.moveTo(x, u.bbox.top); u.ctx.lineTo(x, u.bbox.top + u.bbox.height); u.ctx.stroke(); u.ctx.restore();
    }] },
  };
}

const amount = (found, place) => found.from * (found.to / found.from) ** (place / 100);

function slide(box, budget) {
  let asked = 0;
  const here = () => { const url = new URL(location.href); url.searchParams.set("budget", budget.value); return url; };
  const follow = async () => {
    const answer = await fetch(`${here().pathname}/at_budget${here().search}`).catch(() => null);
    // made by a template of ours, which has escaped it
    if (answer?.ok) document.querySelector(box.dataset.budgetTo).innerHTML = await answer.text();
  };
  drawn.get(box).follow = follow;
  follow();
  budget.addEventListener("input", () => {
    drawn.get(box).chart?.redraw(false);
    history.replaceState(null, "", here());
    clearTimeout(asked);
    asked = setTimeout(follow, 120);
  });
}

function keys(box) {
  const said = document.createElement("p");
  said.className = "spoken"; said.setAttribute("aria-live", "polite");
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
    const values = found.series.map((one, i) => `${one.name} ${shown(chart.data[i + 1][at])}`);
    said.textContent = `${found.x} ${shown(chart.data[0][at])}: ${values.join(", ")}`;
  });
}
