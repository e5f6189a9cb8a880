/** A point of a stroke; the drawing is 1 wide and 1 high. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A line that was drawn without lifting the pen. */
export type Stroke = readonly Point[];

const cells = 8;
const dotsPerCell = 4;
const dots = cells * dotsPerCell;
/** Half the width of the pen on the field of 32 × 32 dots. */
const penRadius = 3;

/**
 * What a model sees of a drawing, as the data set's authors prepared theirs: the digit is centred and fitted into a
 * field of 32 × 32 dots, and each pixel counts the inked dots in a square of 4 × 4. 8 × 8 numbers from 0 to 16, row by
 * row; all 0 where nothing was drawn.
 */
export function digitPixels(strokes: readonly Stroke[]): number[] {
  const pixels = new Array<number>(cells * cells).fill(0);
  const fitted = fit(strokes);
  for (let y = 0; y < dots; y++) {
    for (let x = 0; x < dots; x++) {
      const dot = { x: x + 0.5, y: y + 0.5 };
      if (!fitted.some((stroke) => isInked(stroke, dot))) continue;
      const cell = Math.floor(y / dotsPerCell) * cells + Math.floor(x / dotsPerCell);
      pixels[cell] = pixels[cell]! + 1;
    }
  }
  return pixels;
}

/** Strokes in dots, as large as the field allows and in its middle. A dot stays as small as a dot. */
function fit(strokes: readonly Stroke[]): Point[][] {
  const points = strokes.flat();
  const [left, right] = extent(points.map(({ x }) => x));
  const [top, bottom] = extent(points.map(({ y }) => y));
  const size = Math.max(right - left, bottom - top, 0.05);
  const scale = (dots - 2 * penRadius) / size;
  const place = (value: number, low: number, high: number): number =>
    dots / 2 + scale * (value - (low + high) / 2);
  return strokes.map((stroke) =>
    stroke.map(({ x, y }) => ({ x: place(x, left, right), y: place(y, top, bottom) })),
  );
}

function extent(values: readonly number[]): [low: number, high: number] {
  return [
    values.reduce((a, b) => Math.min(a, b), Infinity),
    values.reduce((a, b) => Math.max(a, b), -Infinity),
  ];
}

function isInked(stroke: readonly Point[], dot: Point): boolean {
  return stroke.some((end, index) => distance(dot, stroke[Math.max(0, index - 1)]!, end) <= penRadius);
}

/** From a point to the line between two others. */
function distance(point: Point, start: Point, end: Point): number {
  const [dx, dy] = [end.x - start.x, end.y - start.y];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : ((point.x - start.x) * dx + (point.y - start.y) * dy) / length;
  const part = Math.min(1, Math.max(0, along));
  return Math.hypot(point.x - start.x - part * dx, point.y - start.y - part * dy);
}
