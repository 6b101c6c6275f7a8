// Dots say below their picture what they are; arrow keys go on.
const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
const dotOf = (event) => event.target.closest?.(".view svg a");

function tell(event) {
  const dot = dotOf(event);
  if (dot) dot.closest(".view").querySelector(".told").textContent = dot.querySelector("title").textContent;
}

document.addEventListener("focusin", tell);
document.addEventListener("pointerover", tell);
document.addEventListener("keydown", (event) => {
  const dot = dotOf(event), step = STEPS[event.key];
  if (!dot || !step) return;
  event.preventDefault();
  const all = [...dot.closest(".still").querySelectorAll("a")];
  all[(all.indexOf(dot) + step + all.length) % all.length].focus();
});
