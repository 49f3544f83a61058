// Strokes on the canvas: keep in blue, remove in orange and dashed (distinguishable with all types of colour vision).

const COLOURS = { keep: "#56b4e9", remove: "#e69f00" };

export function drawStroke(context, stroke, toCanvas, scale, isNew) {
  if (!stroke.points.length) return;
  context.save();
  context.lineCap = "round";
  context.lineJoin = "round";
  context.globalAlpha = stroke.erase ? 0.35 : isNew ? 0.6 : 0.4;
  context.strokeStyle = stroke.erase ? "#ffffff" : COLOURS[stroke.kind];
  context.lineWidth = Math.max(1, stroke.radius * 2 * scale);
  tracePath(context, stroke.points.map(toCanvas));
  context.stroke();
  context.globalAlpha = 0.9;
  context.lineWidth = 1;
  if (stroke.kind === "remove" || stroke.erase) context.setLineDash([5, 4]);
  context.stroke();
  context.restore();
}

function tracePath(context, points) {
  context.beginPath();
  context.moveTo(points[0].x, points[0].y);
  // A single point is drawn as a line of zero length, whose round caps form a dot.
  for (const point of points.length > 1 ? points.slice(1) : points) context.lineTo(point.x, point.y);
}

export function drawBrush(context, point, radius, tool) {
  context.save();
  context.strokeStyle = tool.erase ? "#ffffff" : COLOURS[tool.kind];
  context.lineWidth = 1.5;
  context.beginPath();
  context.arc(point.x, point.y, Math.max(2, radius), 0, 2 * Math.PI);
  context.stroke();
  context.restore();
}
