// Spend by day, stacked by model. The numbers stand in the page as JSON, and below as a table.
(() => {
  const LIGHT = ["#1d5fbf", "#b3541e", "#17693a", "#7b3fa0", "#8a6d00", "#0b7285", "#5c6773"];
  const DARK = ["#7db1ff", "#ffa270", "#8fe0ac", "#d5a6f2", "#ffd95e", "#74d7e8", "#a9b4c0"];
  const HEIGHT = 240;
  let plot = null;

  const isDark = () => document.documentElement.getAttribute("data-bs-theme") === "dark";
  const dollars = (value) => {
    if (value === null || value === undefined) return "–";
    return "$" + (value === 0 || value >= 0.01 ? value.toFixed(2) : value.toPrecision(2));
  };

  // Each layer is drawn from zero to the sum of itself and all below, the highest first.
  function stacked(series) {
    let below = series.length ? series[0].map(() => 0) : [];
    const sums = series.map((row) => (below = row.map((value, at) => value + below[at])));
    return sums.reverse();
  }

  function draw() {
    const box = document.getElementById("chart");
    const data = document.getElementById(box?.dataset.from);
    if (!box || !data || !window.uPlot) return;
    const { days, models } = JSON.parse(data.textContent);
    const names = Object.keys(models);
    const rows = names.map((name) => models[name].map((nanos) => nanos / 1e9));
    const colours = (isDark() ? DARK : LIGHT).slice(0, names.length);
    const ink = getComputedStyle(document.body).color;
    const lines = isDark() ? "#334050" : "#dde3ea";
    const axis = { stroke: ink, grid: { stroke: lines, width: 1 }, ticks: { stroke: lines, width: 1 } };
    plot?.destroy();
    plot = new uPlot({
      width: box.clientWidth,
      height: HEIGHT,
      cursor: { show: false },
      legend: { show: false },
      scales: { x: { time: true, range: (_, low, high) => [low - 43200, high + 43200] }, y: { range: (_, low, high) => [0, (high || 0.01) * 1.05] } },
      axes: [
        { ...axis, values: (_, marks) => marks.map((at) => new Date(at * 1000).toISOString().slice(5, 10)), space: 60, incrs: [86400, 2 * 86400, 5 * 86400, 7 * 86400] },
        { ...axis, values: (_, marks) => marks.map(dollars), size: 70 },
      ],
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
      series: [{}, ...[...names].reverse().map((name, at) => {
        const colour = colours[names.length - 1 - at];
        return { label: name, fill: colour, stroke: colour, width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.8, 40] }) };
      })],
    }, [days.map((day) => Date.parse(`${day}T00:00:00Z`) / 1000), ...stacked(rows)], box);
    name(names, colours, rows);
  }

  function name(names, colours, rows) {
    const svg = "http://www.w3.org/2000/svg";
    document.getElementById("chart-key").replaceChildren(...names.map((label, at) => {
      const entry = document.createElement("span");
      const picture = document.createElementNS(svg, "svg");
      const square = document.createElementNS(svg, "rect");
      for (const each of [picture, square]) {
        each.setAttribute("width", "12");
        each.setAttribute("height", "12");
      }
      picture.setAttribute("aria-hidden", "true");
      square.setAttribute("rx", "3");
      square.setAttribute("fill", colours[at]);
      picture.append(square);
      const sum = rows[at].reduce((one, other) => one + other, 0);
      entry.append(picture, ` ${label} ${dollars(sum)}`);
      return entry;
    }));
  }

  document.addEventListener("DOMContentLoaded", draw);
  document.addEventListener("theme", draw);
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "spend-part") draw();
  });
  let resizing = 0;
  addEventListener("resize", () => {
    cancelAnimationFrame(resizing);
    resizing = requestAnimationFrame(draw);
  });
})();
