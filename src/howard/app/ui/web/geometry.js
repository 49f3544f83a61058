// Where pictures lie on the canvas. Coordinates of pictures are pixels of the shot, y down, with pixel (0, 0) covering
// [0, 1) x [0, 1); coordinates of the canvas are CSS pixels.

const MARGIN = 6; // CSS pixels between panes
const MOST_ZOOM = 32; // device pixels per pixel of the shot
const LEAST_ZOOM = 0.02;

// The panes of a layout: { a: {x, y, width, height}, b: ... }; with a wipe both cover the whole canvas.
export function arrangePanes(layout, width, height, size) {
  const whole = { x: 0, y: 0, width, height };
  if (layout === "single") return { a: whole };
  if (layout === "wipe") return { a: whole, b: whole };
  const halfWidth = (width - MARGIN) / 2;
  const halfHeight = (height - MARGIN) / 2;
  const sideBySide = Math.min(halfWidth / size.width, height / size.height);
  const stacked = Math.min(width / size.width, halfHeight / size.height);
  if (sideBySide >= stacked)
    return {
      a: { x: 0, y: 0, width: halfWidth, height },
      b: { x: halfWidth + MARGIN, y: 0, width: halfWidth, height },
    };
  return {
    a: { x: 0, y: 0, width, height: halfHeight },
    b: { x: 0, y: halfHeight + MARGIN, width, height: halfHeight },
  };
}

// One camera for all panes: the zoom, in CSS pixels per pixel of the shot (null: fit), and the shot's point at the centre.
export class Camera {
  constructor() {
    this.zoom = null;
    this.centre = null;
  }

  scale(pane, size) {
    return this.zoom ?? Math.min(pane.width / size.width, pane.height / size.height);
  }

  middle(size) {
    return this.centre ?? { x: size.width / 2, y: size.height / 2 };
  }

  toCanvas(pane, size, point) {
    const scale = this.scale(pane, size);
    const middle = this.middle(size);
    return {
      x: pane.x + pane.width / 2 + (point.x - middle.x) * scale,
      y: pane.y + pane.height / 2 + (point.y - middle.y) * scale,
    };
  }

  toShot(pane, size, point) {
    const scale = this.scale(pane, size);
    const middle = this.middle(size);
    return {
      x: middle.x + (point.x - pane.x - pane.width / 2) / scale,
      y: middle.y + (point.y - pane.y - pane.height / 2) / scale,
    };
  }

  // Zoom by a factor; what lies under `point` stays there.
  zoomAt(pane, size, point, factor) {
    const before = this.toShot(pane, size, point);
    const most = MOST_ZOOM / window.devicePixelRatio;
    this.zoom = Math.min(most, Math.max(LEAST_ZOOM, this.scale(pane, size) * factor));
    const after = this.toShot(pane, size, point);
    const middle = this.middle(size);
    this.centre = { x: middle.x + before.x - after.x, y: middle.y + before.y - after.y };
  }

  pan(pane, size, dx, dy) {
    const scale = this.scale(pane, size);
    const middle = this.middle(size);
    this.zoom = scale;
    this.centre = {
      x: Math.min(size.width, Math.max(0, middle.x - dx / scale)),
      y: Math.min(size.height, Math.max(0, middle.y - dy / scale)),
    };
  }

  fit() {
    this.zoom = null;
    this.centre = null;
  }

  // One pixel of the shot on one pixel of the screen.
  actualSize() {
    this.zoom = 1 / window.devicePixelRatio;
  }
}
