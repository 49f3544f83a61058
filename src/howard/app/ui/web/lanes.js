// Lanes below the thumbnails. Statuses differ in height or pattern as well as in colour; the colours are the palette of
// Okabe and Ito, which is distinguishable with all types of colour vision.

export const LANE_HEIGHT = 13;
const STATUS = {
  g: { colour: "#0072b2", height: 0.35 },
  w: { colour: "#e69f00", height: 0.65 },
  f: { colour: "#d55e00", height: 1 },
  d: { colour: "#cc79a7", height: 1, striped: true },
  e: { colour: "#56b4e9", height: 0.5 },
};
const FINISHED = "#009e73";
const STROKES = "#f0e442";

// A lane with one letter per frame ("." for none). The first frame starts at `left`; each is `step` CSS pixels wide.
export function drawStatus(context, letters, left, step, top) {
  drawRuns(context, letters, left, step, (letter, x, width) => {
    const kind = STATUS[letter];
    if (!kind) return;
    const height = LANE_HEIGHT * kind.height;
    context.fillStyle = kind.colour;
    context.fillRect(x, top + LANE_HEIGHT - height, width, height);
    if (!kind.striped) return;
    context.fillStyle = "#1d1f21";
    for (let stripe = x; stripe < x + width; stripe += 4) context.fillRect(stripe, top, 1.5, LANE_HEIGHT);
  });
}

export function drawFinished(context, letters, left, step, top) {
  drawRuns(context, letters, left, step, (letter, x, width) => {
    if (letter !== "1") return;
    context.fillStyle = FINISHED;
    context.fillRect(x, top + 4, width, LANE_HEIGHT - 7);
  });
}

export function drawStrokes(context, indices, left, step, top) {
  context.fillStyle = STROKES;
  for (const index of indices) {
    const middle = left + (index + 0.5) * step;
    context.beginPath();
    context.moveTo(middle, top + 1);
    context.lineTo(middle + 4, top + LANE_HEIGHT / 2);
    context.lineTo(middle, top + LANE_HEIGHT - 1);
    context.lineTo(middle - 4, top + LANE_HEIGHT / 2);
    context.fill();
  }
}

// Draw a run of equal letters as one rectangle, because a long clip has more frames than the screen has pixels.
function drawRuns(context, letters, left, step, drawRun) {
  for (let start = 0; start < letters.length; ) {
    let end = start + 1;
    while (end < letters.length && letters[end] === letters[start]) end++;
    drawRun(letters[start], left + start * step, Math.max(1, (end - start) * step));
    start = end;
  }
}
