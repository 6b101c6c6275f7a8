"use strict";
(() => {
  const narrow = window.matchMedia("(max-width: 600px)");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const touch = window.matchMedia("(pointer: coarse)");
  // What does little here; and what would send the figure to a server.
  const REMOVED = ["select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "autoScale2d", "sendChartToCloud"];
  const PAPER = { "--text": "#000000", "--page": "#ffffff", "--grid": "#dddddd", "--axis": "#777777" };
  const PAPER_PX = 660; // what A4 leaves between its margins
  let printing = false;
  const colour = (name) =>
    printing ? PAPER[name] : getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // The page's colours for everything in a figure that is not data.
  const theme = (layout) => {
    const patch = { "font.color": colour("--text"), "hoverlabel.bordercolor": colour("--page") };
    for (const key of Object.keys(layout)) {
      if (/^[xy]axis\d*$/.test(key)) {
        patch[`${key}.gridcolor`] = colour("--grid");
        patch[`${key}.linecolor`] = colour("--axis");
        patch[`${key}.tickcolor`] = colour("--axis");
      }
      if (/^ternary\d*$/.test(key)) {
        for (const axis of ["aaxis", "baxis", "caxis"]) {
          patch[`${key}.${axis}.gridcolor`] = colour("--grid");
          patch[`${key}.${axis}.linecolor`] = colour("--axis");
          patch[`${key}.${axis}.tickcolor`] = colour("--axis");
        }
      }
    }
    return patch;
  };

  const fit = (layout) => (layout.meta && layout.meta[narrow.matches ? "narrow" : "wide"]) || {};

  // Plotly's own buttons cannot be reached by keyboard and are small on a phone: draw real ones.
  const choices = (plot, menus) => {
    const bar = document.createElement("div");
    bar.className = "choices";
    for (const menu of menus) {
      const group = document.createElement("div");
      group.className = "choice";
      group.setAttribute("role", "group");
      group.setAttribute("aria-label", menu.name || "View");
      menu.buttons.forEach((choice, index) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = choice.label;
        button.setAttribute("aria-pressed", String(index === (menu.active || 0)));
        button.addEventListener("click", () => {
          for (const other of group.children) other.setAttribute("aria-pressed", String(other === button));
          Plotly[choice.method](plot, ...structuredClone(choice.args));
        });
        group.append(button);
      });
      bar.append(group);
    }
    plot.before(bar);
  };

  const draw = async (plot) => {
    const figure = JSON.parse(document.getElementById(plot.dataset.figure).textContent);
    const menus = figure.layout.updatemenus || [];
    delete figure.layout.updatemenus;
    if (touch.matches) figure.layout.dragmode = false;
    const config = {
      responsive: true,
      displaylogo: false,
      displayModeBar: touch.matches || narrow.matches ? false : "hover",
      modeBarButtonsToRemove: REMOVED,
      doubleClickDelay: 400,
    };
    if (menus.length) choices(plot, menus);
    await Plotly.newPlot(plot, figure.data, figure.layout, config);
    await restyle(plot);
    plot.dataset.drawn = "yes";
  };

  const restyle = (plot) => {
    const width = printing ? { width: PAPER_PX } : { width: null, autosize: true };
    const change = { ...theme(plot.layout), ...fit(plot.layout), ...width };
    // The drawing does not stretch its box, so that what follows could slip under it.
    plot.style.height = `${change.height || plot.layout.height}px`;
    return Plotly.relayout(plot, change);
  };
  const plots = [...document.querySelectorAll(".plot")];
  const restyleAll = () => plots.forEach((plot) => plot.dataset.drawn && restyle(plot));

  plots.forEach(draw);
  dark.addEventListener("change", restyleAll);
  narrow.addEventListener("change", restyleAll);
  for (const moment of ["beforeprint", "afterprint"]) {
    window.addEventListener(moment, () => {
      printing = moment === "beforeprint";
      restyleAll();
    });
  }
})();
