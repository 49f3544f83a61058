"use strict";
(() => {
  const samples = [...document.querySelectorAll(".sample")];
  const links = [...document.querySelectorAll('.strip a')];

  // One sampled frame at a time, the one that the address names; without a script all are shown.
  function showSample() {
    const wanted = document.getElementById(location.hash.slice(1));
    const shown = samples.includes(wanted) ? wanted : samples[0];
    for (const sample of samples) sample.classList.toggle("shown", sample === shown);
    for (const link of links) {
      if (link.hash === "#" + shown.id) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }
  if (samples.length) {
    document.body.classList.add("scripted");
    window.addEventListener("hashchange", showSample);
    showSample();
  }

  for (const input of document.querySelectorAll(".seam")) {
    const moveSeam = () => input.parentElement.style.setProperty("--seam", input.value + "%");
    input.addEventListener("input", moveSeam);
    moveSeam();
  }

  for (const button of document.querySelectorAll(".zoom")) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
    });
  }

  const curves = document.querySelector(".curves");
  if (!curves) return;
  const cursor = curves.querySelector(".cursor");
  const first = Number(cursor.min), last = Number(cursor.max);
  const drawn = [...curves.querySelectorAll(".curve[data-points]")].map((curve) => ({
    output: curve.querySelector("output"),
    points: JSON.parse(curve.dataset.points).filter(([, value]) => value !== null),
    unit: curve.dataset.unit,
  }));

  // Curves of long renders are thinned: the value shown is that of the nearest frame they kept.
  function readCurves() {
    const number = Number(cursor.value);
    curves.style.setProperty("--at", (number - first) / Math.max(last - first, 1));
    curves.querySelector(".reader output").textContent = number;
    for (const { output, points, unit } of drawn) {
      const near = points.reduce((a, b) => (Math.abs(b[0] - number) < Math.abs(a[0] - number) ? b : a));
      const elsewhere = near[0] === number ? "" : ` (frame ${near[0]})`;
      output.textContent = `${near[1]} ${unit}${elsewhere}`;
    }
  }
  cursor.addEventListener("input", readCurves);
  for (const plot of curves.querySelectorAll(".plot")) {
    plot.addEventListener("pointermove", (event) => {
      const area = plot.querySelector("svg").getBoundingClientRect();
      cursor.value = Math.round(first + ((event.clientX - area.left) / area.width) * (last - first));
      readCurves();
    });
  }
})();
