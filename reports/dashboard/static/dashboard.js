// Looks for what is new, and tells when nothing can be reached.
const EVERY_MS = 1000, HIDDEN_MS = 30000, AWAY_MS = 3000;
const liveness = document.getElementById("liveness");
let away = false;

function look() {
  const live = document.getElementById("live");
  if (live) htmx.trigger(live, "weighbridge:look");
  setTimeout(look, document.hidden ? HIDDEN_MS : away ? AWAY_MS : EVERY_MS);
}

function tell(reached) {
  if (away === !reached && liveness.textContent) return;
  away = !reached;
  liveness.toggleAttribute("data-away", away);
  liveness.textContent = away ? "Not reachable. What is shown may be old; trying again." : "Live";
}

document.addEventListener("htmx:after:request", (event) => {
  const status = event.detail.ctx?.response?.status ?? 0;
  tell(status > 0 && status < 500);
  if (status === 200) document.dispatchEvent(new Event("weighbridge:new"));
  if (status === 401) location.assign("/login");
  if (status === 404) location.reload(); // the study is gone: the page says so
});
document.addEventListener("htmx:error", () => tell(false));
document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-send-on-change]");
  if (form && !event.target.matches("[data-budget]")) form.requestSubmit();
});
document.addEventListener("visibilitychange", () => {
  const live = document.getElementById("live");
  if (!document.hidden && live) htmx.trigger(live, "weighbridge:look");
});

if (document.getElementById("live")) setTimeout(look, EVERY_MS);
