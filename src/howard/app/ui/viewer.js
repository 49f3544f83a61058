// Two linked viewers in one canvas: zoom, pan, wipe and painting are handled here; the server computes the images.
import { BoxCanvas } from "/howard/canvas.js";
import { Camera, arrangePanes } from "/howard/geometry.js";
import { drawBrush, drawStroke } from "/howard/strokes.js";
import { PictureStore } from "/howard/picture_store.js";

const WHEEL_ZOOM = 1.0015; // factor per unit of the wheel's delta
const KEY_ZOOM = 1.25; // factor per key press
const HANDLE = 8; // distance in CSS pixels from the wipe line within which it can be dragged
const PIXEL_INTERVAL = 80; // ms between requests for the values under the pointer
const MAX_BRUSH_RADIUS = 400; // pixels of the shot

export default {
  template: `
    <div class="howard-viewer" ref="box">
      <canvas ref="canvas" tabindex="0" role="img" :aria-label="description"
        @wheel.prevent="onWheel" @pointerdown="onDown" @pointermove="onMove" @pointerup="onUp"
        @pointercancel="onUp" @pointerleave="onLeave" @dblclick="onDouble" @contextmenu.prevent></canvas>
    </div>`,
  props: { a: Object, b: Object, size: Object, layout: String, tool: Object, strokes: Array, texts: Object },
  computed: {
    description() {
      const panes = this.layout === "single" ? [this.a] : [this.a, this.b];
      return panes.filter(Boolean).map((pane) => `${pane.label}, ${pane.status}`).join("; ");
    },
  },
  watch: {
    a: "redraw", b: "redraw", size: "resetCamera", layout: "redraw", tool: "redraw",
    strokes() { this.sent = null; this.redraw(); },
  },
  created() {
    this.camera = new Camera();
    this.wipe = 0.5;
    this.pointer = null;
    this.gesture = null;
    this.stroke = null; // being painted
    this.sent = null; // painted, but not yet among the server's strokes
    this.pixelRequestTime = 0;
  },
  mounted() {
    this.store = new PictureStore(() => this.redraw());
    this.surface = new BoxCanvas(this.$refs.canvas, this.$refs.box, (context, box) => this.draw(context, box));
  },
  unmounted() { this.surface.close(); },
  methods: {
    fit() { this.camera.fit(); this.redraw(); },
    actualSize() { this.camera.actualSize(); this.redraw(); },
    zoomIn() { this.zoomBy(KEY_ZOOM); },
    zoomOut() { this.zoomBy(1 / KEY_ZOOM); },
    moveWipe(step) { this.wipe = Math.min(1, Math.max(0, this.wipe + step)); this.redraw(); },
    resetCamera(now, before) {
      if (!before || !now || now.width !== before.width || now.height !== before.height) this.camera.fit();
      this.redraw();
    },
    zoomBy(factor) {
      if (!this.size) return;
      const pane = this.panes().a;
      const middle = { x: pane.x + pane.width / 2, y: pane.y + pane.height / 2 };
      this.camera.zoomAt(pane, this.size, middle, factor);
      this.redraw();
    },
    panes() {
      const box = this.$refs.box;
      return arrangePanes(this.layout, box.clientWidth, box.clientHeight, this.size);
    },
    paneAt(point) {
      const panes = this.panes();
      const inside = (pane) =>
        pane && point.x >= pane.x && point.x < pane.x + pane.width && point.y >= pane.y && point.y < pane.y + pane.height;
      return inside(panes.a) ? panes.a : inside(panes.b) ? panes.b : null;
    },
    redraw() { this.surface?.redraw(); },
    draw(context, box) {
      if (!this.size) {
        // The shot cannot be read.
        if (this.a?.pair) this.drawLabel(context, this.a, { x: 0, y: 0, width: box.clientWidth }, false, false);
        return;
      }
      const panes = this.panes();
      const line = box.clientWidth * this.wipe;
      for (const name of ["a", "b"]) {
        if (!panes[name] || !this[name]) continue;
        const clip = { ...panes[name] };
        if (this.layout === "wipe") {
          if (name === "a") clip.width = line;
          else Object.assign(clip, { x: line, width: box.clientWidth - line });
        }
        this.drawPane(context, name, panes[name], clip);
      }
      if (this.layout === "wipe") this.drawWipe(context, line, box.clientHeight);
    },
    drawPane(context, name, pane, clip) {
      const picture = this[name];
      context.save();
      context.beginPath();
      context.rect(clip.x, clip.y, clip.width, clip.height);
      context.clip();
      const scale = this.camera.scale(pane, this.size);
      const origin = this.camera.toCanvas(pane, this.size, { x: 0, y: 0 });
      const place = { ...origin, scale, width: this.size.width };
      const isCurrent = this.store.draw(context, name, picture, place, clip);
      const toCanvas = ([x, y]) => this.camera.toCanvas(pane, this.size, { x, y });
      for (const stroke of this.strokes || []) drawStroke(context, stroke, toCanvas, scale, false);
      for (const stroke of [this.sent, this.stroke].filter(Boolean)) drawStroke(context, stroke, toCanvas, scale, true);
      if (this.tool && this.pointer && this.paneAt(this.pointer) === pane)
        drawBrush(context, this.pointer, this.tool.radius * scale, this.tool);
      context.restore();
      const isRight = this.layout === "wipe" && name === "b";
      this.drawLabel(context, picture, isRight ? pane : clip, isRight, picture.state === "ready" && !isCurrent);
    },
    drawLabel(context, picture, place, isRight, isLoading) {
      context.save();
      context.font = "12px system-ui, sans-serif";
      const note = picture.state === "ready" ? (isLoading ? this.texts.loading : "") : picture.status;
      const text = [picture.label, note].filter(Boolean).join(" · ");
      const width = context.measureText(text).width + 14;
      const x = isRight ? place.x + place.width - width - 6 : place.x + 6;
      context.fillStyle = picture.state === "error" ? "#7a2500e6" : "#000000b0";
      context.fillRect(x, place.y + 6, width, 22);
      context.fillStyle = "#ffffff";
      context.fillText(text, x + 7, place.y + 21);
      context.restore();
    },
    drawWipe(context, x, height) {
      context.save();
      context.fillStyle = "#ffffffc0";
      context.fillRect(x - 1, 0, 2, height);
      context.beginPath();
      context.arc(x, height / 2, 7, 0, 2 * Math.PI);
      context.fill();
      context.restore();
    },
    canvasPoint(event) {
      const box = this.$refs.canvas.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    },
    onWheel(event) {
      if (!this.size) return;
      if (this.tool && !event.ctrlKey) {
        const radius = this.tool.radius * WHEEL_ZOOM ** -event.deltaY;
        this.$emit("radius", { radius: Math.min(MAX_BRUSH_RADIUS, Math.max(1, radius)) });
        return;
      }
      const point = this.canvasPoint(event);
      const pane = this.paneAt(point);
      if (pane) this.camera.zoomAt(pane, this.size, point, WHEEL_ZOOM ** -event.deltaY);
      this.redraw();
    },
    onDown(event) {
      if (!this.size) return;
      const point = this.canvasPoint(event);
      const pane = this.paneAt(point);
      if (!pane) return;
      this.$refs.canvas.setPointerCapture(event.pointerId);
      const line = this.$refs.box.clientWidth * this.wipe;
      if (this.layout === "wipe" && Math.abs(point.x - line) <= HANDLE) this.gesture = { kind: "wipe", pane };
      else if (this.tool && event.button === 0) this.beginStroke(pane, point);
      else this.gesture = { kind: "pan", pane, point };
    },
    beginStroke(pane, point) {
      this.gesture = { kind: "stroke", pane };
      this.stroke = { ...this.tool, points: [] };
      this.extendStroke(point);
    },
    extendStroke(point) {
      const { x, y } = this.camera.toShot(this.gesture.pane, this.size, point);
      const added = [Math.round(x * 10) / 10, Math.round(y * 10) / 10];
      // A line has two points: its start and the pointer's position.
      this.stroke.points = this.tool.line ? [...this.stroke.points.slice(0, 1), added] : [...this.stroke.points, added];
    },
    onMove(event) {
      if (!this.size) return;
      const point = this.canvasPoint(event);
      this.pointer = point;
      if (this.gesture?.kind === "wipe") this.wipe = Math.min(1, Math.max(0, point.x / this.$refs.box.clientWidth));
      else if (this.gesture?.kind === "pan") {
        const before = this.gesture.point;
        this.camera.pan(this.gesture.pane, this.size, point.x - before.x, point.y - before.y);
        this.gesture.point = point;
      } else if (this.gesture?.kind === "stroke") this.extendStroke(point);
      else this.requestPixel(point);
      if (this.gesture || this.tool) this.redraw();
    },
    requestPixel(point) {
      const pane = this.paneAt(point);
      if (!pane || performance.now() - this.pixelRequestTime < PIXEL_INTERVAL) return;
      this.pixelRequestTime = performance.now();
      const { x, y } = this.camera.toShot(pane, this.size, point);
      if (x >= 0 && y >= 0 && x < this.size.width && y < this.size.height)
        this.$emit("pixel", { x: Math.floor(x), y: Math.floor(y) });
    },
    onUp() {
      if (this.gesture?.kind === "stroke" && this.stroke?.points.length) {
        // Displayed until the server sends the strokes including this one.
        this.sent = this.stroke;
        this.$emit("stroke", { points: this.stroke.points });
      }
      this.gesture = null;
      this.stroke = null;
      this.redraw();
    },
    onLeave() { this.pointer = null; this.redraw(); },
    onDouble() { if (!this.tool) this.fit(); },
  },
};
