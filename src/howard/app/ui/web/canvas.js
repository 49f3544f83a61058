// Canvases that fill a box of the page at the screen's own resolution.

// Gives a cleared context in CSS pixels; the canvas gets the size of its box, an element, in device pixels.
export function prepareCanvas(canvas, box) {
  const ratio = window.devicePixelRatio;
  const width = Math.round(box.clientWidth * ratio);
  const height = Math.round(box.clientHeight * ratio);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, box.clientWidth, box.clientHeight);
  return context;
}
