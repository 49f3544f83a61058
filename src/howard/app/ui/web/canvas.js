// A canvas that fills a box element at the resolution of the screen. It is redrawn after the box was resized and on
// request, at most once per repaint of the browser.

export class BoxCanvas {
  // `draw(context, box)` draws onto the cleared canvas in CSS pixels.
  constructor(canvas, box, draw) {
    Object.assign(this, { canvas, box, draw, isScheduled: false, isClosed: false });
    this.observer = new ResizeObserver(() => this.redraw());
    this.observer.observe(box);
    this.redraw();
  }

  redraw() {
    if (this.isScheduled) return;
    this.isScheduled = true;
    requestAnimationFrame(() => {
      this.isScheduled = false;
      if (!this.isClosed) this.draw(this.clear(), this.box);
    });
  }

  // Set the canvas to the box's size in device pixels, and return its cleared context.
  clear() {
    const { canvas, box } = this;
    const ratio = window.devicePixelRatio;
    const width = Math.round(box.clientWidth * ratio);
    const height = Math.round(box.clientHeight * ratio);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, box.clientWidth, box.clientHeight);
    return context;
  }

  close() {
    this.isClosed = true;
    this.observer.disconnect();
  }
}
