// Looks for news, and tells when nothing can be reached.
const EVERY_MS = 1000, HIDDEN_MS = 3e4, AWAY_MS = 3e3;
const liveness = document.getElementById("liveness");
const on = (event, act) => document.addEventListener(event, act);
let away = false;

const live = () => document.getElementById("live");
const ask = () => live() && htmx.trigger(live(), "weighbridge:look");

function look() {
  ask();
  setTimeout(look, document.hidden ? HIDDEN_MS : away ? AWAY_MS : EVERY_MS);
}

function tell(reached) {
  if (away === !reached && liveness.textContent) return;
  away = !reached;
  liveness.toggleAttribute("data-away", away);
  liveness.textContent = away ? "Not reachable. What is shown may be old; trying again." : "Live";
}

// Times go on by the server's clock.
const skew = Date.now() - (Date.parse(live()?.dataset.now) || Date.now());
const UNITS = [[120, 1, "s"], [7200, 60, "min"], [172800, 3600, "h"], [Infinity, 86400, "days"]];
function ago(then) {
  const past = (Date.now() - skew - then) / 1000, far = Math.abs(past);
  const [, size, unit] = UNITS.find(([limit]) => far < limit);
  const much = `${Math.floor(far / size)} ${unit}`;
  return far < 2 ? "just now" : past > 0 ? `${much} ago` : `in ${much}`;
}
setInterval(() => {
  if (!document.hidden) for (const one of document.querySelectorAll("time:not([data-fixed])")) {
    const then = Date.parse(one.dateTime);
    const due = "ahead" in one.dataset && then - Date.now() + skew < 2000;
    const said = due ? "any moment now" : ago(then);
    if (one.textContent !== said) one.textContent = said;
  }
}, 1000);

on("htmx:after:request", (event) => {
  const { status, headers } = event.detail.ctx?.response ?? {};
  tell(status < 500 && !headers.has("Weighbridge-Away"));
  if (status === 200) document.dispatchEvent(new Event("weighbridge:new"));
  if (status === 401) location.assign("/login?next=" + encodeURIComponent(location.pathname + location.search));
  if (status === 404) location.reload(); // the study is gone: the page says so
});
on("htmx:error", () => tell(false));
on("change", ({ target }) => {
  if (!target.matches("[data-budget], [type=checkbox]")) target.closest("[data-send-on-change]")?.requestSubmit();
});
// A kept page has choices that its address has not.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
on("visibilitychange", () => document.hidden || ask());

if (live()) setTimeout(look, EVERY_MS);
