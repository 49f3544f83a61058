// The timeline: thumbnails, in and out marks, the current frame, and lanes with the status of all frames.
import { BoxCanvas } from "/howard/canvas.js";
import { LANE_HEIGHT, drawFinished, drawStatus, drawStrokes } from "/howard/lanes.js";

const LABELS = 64; // width of the lane names at the left, in CSS pixels
const THUMBNAIL = 46; // height of a thumbnail in CSS pixels
const GAP = 3; // CSS pixels between lanes
const SIDE = 160; // long side in pixels of the thumbnails requested from the server
const MAX_IMAGES = 400; // cached thumbnails

export default {
  template: `
    <div class="howard-scrubber" ref="box">
      <canvas ref="canvas" tabindex="0" role="slider" :aria-label="texts.timeline" :aria-valuemin="first"
        :aria-valuemax="first + count - 1" :aria-valuenow="number"
        :aria-valuetext="[texts.frame + ' ' + number, facts].filter(Boolean).join(', ')"
        @pointerdown="onDown" @pointermove="onMove" @pointerup="onUp" @pointercancel="onUp"></canvas>
    </div>`,
  props: {
    pair: String, first: Number, count: Number, number: Number, aspect: Number, markIn: Number, markOut: Number,
    status: String, finished: String, strokes: Array, facts: String, texts: Object,
  },
  watch: {
    pair: "redraw", first: "redraw", count: "redraw", number: "redraw", aspect: "redraw", markIn: "redraw",
    markOut: "redraw", status: "redraw", finished: "redraw", strokes: "redraw",
  },
  mounted() {
    this.images = new Map();
    this.surface = new BoxCanvas(this.$refs.canvas, this.$refs.box, (context, box) => this.draw(context, box));
  },
  unmounted() { this.surface.close(); },
  methods: {
    redraw() { this.surface?.redraw(); },
    draw(context, box) {
      if (!this.count) return;
      this.step = (box.clientWidth - LABELS - 8) / this.count;
      this.drawThumbnails(context, box.clientWidth);
      this.drawLanes(context);
      this.drawMarks(context, box);
      this.drawPlayhead(context, box.clientHeight);
    },
    drawThumbnails(context, width) {
      const thumbnailWidth = THUMBNAIL * (this.aspect || 1.78);
      const slots = Math.max(1, Math.floor((width - LABELS - 8) / thumbnailWidth));
      const slotWidth = (width - LABELS - 8) / slots;
      for (let slot = 0; slot < slots; slot++) {
        const index = Math.min(this.count - 1, Math.floor(((slot + 0.5) / slots) * this.count));
        const image = this.thumbnail(this.first + index);
        const x = LABELS + slot * slotWidth + (slotWidth - thumbnailWidth) / 2;
        context.fillStyle = "#26292c";
        context.fillRect(x, 0, thumbnailWidth - 1, THUMBNAIL);
        if (image.complete && image.naturalWidth) context.drawImage(image, x, 0, thumbnailWidth - 1, THUMBNAIL);
      }
    },
    thumbnail(number) {
      const url = `/thumbnail/${this.pair}/${number}?side=${SIDE}`;
      if (!this.images.has(url)) {
        const image = new Image();
        image.onload = () => this.redraw();
        image.src = url;
        if (this.images.size > MAX_IMAGES) this.images.clear();
        this.images.set(url, image);
      }
      return this.images.get(url);
    },
    laneTop(lane) { return THUMBNAIL + GAP + lane * (LANE_HEIGHT + GAP); },
    drawLanes(context) {
      context.font = "11px system-ui, sans-serif";
      ["status", "strokes", "finished"].forEach((name, lane) => {
        context.fillStyle = "#2b2e31";
        context.fillRect(LABELS, this.laneTop(lane), this.step * this.count, LANE_HEIGHT);
        context.fillStyle = "#c8ccd0";
        context.fillText(this.texts[name], 4, this.laneTop(lane) + LANE_HEIGHT - 3);
      });
      drawStatus(context, this.status || "", LABELS, this.step, this.laneTop(0));
      drawStrokes(context, this.strokes || [], LABELS, this.step, this.laneTop(1));
      drawFinished(context, this.finished || "", LABELS, this.step, this.laneTop(2));
    },
    drawMarks(context, box) {
      const begin = this.markIn === null ? 0 : this.markIn - this.first;
      const end = this.markOut === null ? this.count : this.markOut - this.first + 1;
      context.fillStyle = "#101214b0";
      context.fillRect(LABELS, 0, begin * this.step, THUMBNAIL);
      context.fillRect(LABELS + end * this.step, 0, (this.count - end) * this.step, THUMBNAIL);
      context.fillStyle = "#f0e442";
      if (this.markIn !== null) this.drawMark(context, LABELS + begin * this.step, 1);
      if (this.markOut !== null) this.drawMark(context, LABELS + end * this.step, -1);
    },
    drawMark(context, x, direction) {
      context.fillRect(direction > 0 ? x : x - 2, 0, 2, THUMBNAIL);
      context.fillRect(direction > 0 ? x : x - 8, 0, 8, 3);
      context.fillRect(direction > 0 ? x : x - 8, THUMBNAIL - 3, 8, 3);
    },
    drawPlayhead(context, height) {
      const x = LABELS + (this.number - this.first + 0.5) * this.step;
      context.fillStyle = "#ffffff";
      context.fillRect(x - 1, 0, 2, height);
      const text = String(this.number);
      context.font = "bold 12px system-ui, sans-serif";
      const width = context.measureText(text).width + 10;
      const left = Math.min(this.$refs.box.clientWidth - width, Math.max(LABELS, x - width / 2));
      context.fillRect(left, THUMBNAIL - 16, width, 16);
      context.fillStyle = "#101214";
      context.fillText(text, left + 5, THUMBNAIL - 4);
    },
    onDown(event) {
      this.isDragging = true;
      this.$refs.canvas.setPointerCapture(event.pointerId);
      this.seek(event);
    },
    onMove(event) { if (this.isDragging) this.seek(event); },
    onUp() { this.isDragging = false; },
    seek(event) {
      const x = event.clientX - this.$refs.canvas.getBoundingClientRect().left - LABELS;
      const index = Math.min(this.count - 1, Math.max(0, Math.floor(x / this.step)));
      const number = this.first + index;
      if (number !== this.requested || number !== this.number) this.$emit("seek", { number });
      this.requested = number;
    },
  },
};
