// Layout of the panes, and the mapping between shot and canvas. Shot coordinates are pixels, y down, with pixel (0, 0)
// covering [0, 1) x [0, 1); canvas coordinates are CSS pixels.

const MARGIN = 6; // CSS pixels between panes
const MAX_ZOOM = 32; // device pixels per pixel of the shot
const MIN_ZOOM = 0.02; // CSS pixels per pixel of the shot

// The panes of a layout: { a: {x, y, width, height}, b: ... }. With a wipe both cover the whole canvas.
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

// Zoom and pan, shared by all panes: the zoom in CSS pixels per shot pixel, and the shot point at the pane's centre.
// Null means that the whole frame is fitted into the pane, centred.
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

  // Zoom by a factor around `point`, which stays fixed.
  zoomAt(pane, size, point, factor) {
    const before = this.toShot(pane, size, point);
    const limit = MAX_ZOOM / window.devicePixelRatio;
    this.zoom = Math.min(limit, Math.max(MIN_ZOOM, this.scale(pane, size) * factor));
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

  // One pixel of the shot per pixel of the screen.
  actualSize() {
    this.zoom = 1 / window.devicePixelRatio;
  }
}
