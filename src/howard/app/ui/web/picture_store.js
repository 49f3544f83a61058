// Images of views from the server: a scaled preview, and tiles at full resolution if the zoom needs more detail than
// the preview has. An image's key changes with everything that its pixels depend on.

const PREVIEW_SIDES = [960, 1920]; // long sides of previews in pixels, as in routes.py
const TILE = 512; // side of a tile in pixels, as in routes.py
const MAX_IMAGES = 160; // cached previews and tiles

export class PictureStore {
  constructor(onLoad) {
    this.images = new Map();
    this.onLoad = onLoad;
    this.last = {};
  }

  image(url) {
    let image = this.images.get(url);
    if (image) {
      this.images.delete(url);
    } else {
      image = new Image();
      image.decoding = "async";
      image.onload = () => this.onLoad();
      image.src = url;
    }
    this.images.set(url, image);
    if (this.images.size > MAX_IMAGES) this.images.delete(this.images.keys().next().value);
    return image;
  }

  loaded(url) {
    const image = this.image(url);
    return image.complete && image.naturalWidth > 0 ? image : null;
  }

  // Draw a pane's image, or the previous one of the same pair until it is loaded. Returns whether it is the current.
  draw(context, name, picture, place, visible) {
    // An image of another size than the shot (a plate frame) is displayed with the width of the shot.
    const pixel = (place.width / picture.width) * place.scale;
    const longSide = Math.max(picture.width, picture.height);
    const needed = longSide * pixel * window.devicePixelRatio;
    const side = PREVIEW_SIDES.find((each) => each >= needed) ?? PREVIEW_SIDES.at(-1);
    const preview = picture.key ? this.loaded(`/picture/${picture.key}?side=${side}`) : null;
    if (preview) this.last[name] = { pair: picture.pair, image: preview, aspect: picture.height / picture.width };
    const shown = this.last[name];
    if (!shown || shown.pair !== picture.pair) return false;
    const width = place.width * place.scale;
    context.imageSmoothingEnabled = pixel * window.devicePixelRatio < 2;
    context.imageSmoothingQuality = "high";
    context.drawImage(shown.image, place.x, place.y, width, width * shown.aspect);
    if (preview && side < Math.min(needed, longSide)) this.drawTiles(context, picture, { ...place, pixel }, visible);
    return Boolean(preview);
  }

  drawTiles(context, picture, place, visible) {
    const size = TILE * place.pixel;
    const columns = Math.ceil(picture.width / TILE);
    const rows = Math.ceil(picture.height / TILE);
    const first = (from, start) => Math.max(0, Math.floor((from - start) / size));
    const last = (to, start, count) => Math.min(count - 1, Math.floor((to - start) / size));
    for (let row = first(visible.y, place.y); row <= last(visible.y + visible.height, place.y, rows); row++)
      for (let column = first(visible.x, place.x); column <= last(visible.x + visible.width, place.x, columns); column++) {
        const tile = this.loaded(`/picture/${picture.key}/tile/${column}/${row}`);
        if (!tile) continue;
        context.drawImage(
          tile,
          place.x + column * size,
          place.y + row * size,
          tile.naturalWidth * place.pixel,
          tile.naturalHeight * place.pixel,
        );
      }
  }
}
