import type { Point, Stroke } from './digitPixels.ts';

const penWidth = 0.075;
/** How far an arrow key moves the pen. */
const keyStep = 1 / 16;
const arrows: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -keyStep, y: 0 },
  ArrowRight: { x: keyStep, y: 0 },
  ArrowUp: { x: 0, y: -keyStep },
  ArrowDown: { x: 0, y: keyStep },
};

/** A canvas to draw a digit on, with mouse, finger, pen or keys. */
export class Pad {
  readonly #canvas: HTMLCanvasElement;
  readonly #changed: () => void;
  #strokes: Point[][] = [];
  /** The pointer that draws; others are ignored meanwhile. */
  #pointer: number | undefined;
  /** Where the keys have the pen, and whether it is down. Undefined before a key was pressed. */
  #pen: { at: Point; isDown: boolean } | undefined;

  /** `changed` is called after each change of the drawing. */
  constructor(canvas: HTMLCanvasElement, changed: () => void) {
    this.#canvas = canvas;
    this.#changed = changed;
    canvas.addEventListener('pointerdown', (event) => this.#begin(event));
    canvas.addEventListener('pointermove', (event) => this.#follow(event));
    for (const end of ['pointerup', 'pointercancel'] as const)
      canvas.addEventListener(end, ({ pointerId }) => {
        if (pointerId === this.#pointer) this.#pointer = undefined;
      });
    canvas.addEventListener('keydown', (event) => this.#key(event));
    new ResizeObserver(() => this.#paint()).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#update());
  }

  get strokes(): readonly Stroke[] {
    return this.#strokes;
  }

  clear(): void {
    this.#strokes = [];
    this.#pointer = undefined;
    this.#pen = undefined;
    this.#update();
  }

  #begin(event: PointerEvent): void {
    if (this.#pointer !== undefined || event.button !== 0) return;
    this.#pointer = event.pointerId;
    this.#pen = undefined;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#strokes.push([this.#pointOf(event)]);
    this.#update();
  }

  #follow(event: PointerEvent): void {
    if (event.pointerId !== this.#pointer) return;
    this.#strokes.at(-1)!.push(this.#pointOf(event));
    this.#update();
  }

  #pointOf({ clientX, clientY }: PointerEvent): Point {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    return { x: (clientX - left) / width, y: (clientY - top) / height };
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = arrows[event.key];
    if (move === undefined && event.key !== ' ' && event.key !== 'Escape') return;
    event.preventDefault();
    if (event.key === 'Escape') {
      this.clear();
      return;
    }
    this.#pen ??= { at: { x: 0.5, y: 0.25 }, isDown: false };
    const { at, isDown } = this.#pen;
    if (move === undefined) {
      this.#pen.isDown = !isDown;
      if (!isDown) this.#strokes.push([at]);
    } else {
      const inside = (value: number): number => Math.min(1 - keyStep, Math.max(keyStep, value));
      this.#pen.at = { x: inside(at.x + move.x), y: inside(at.y + move.y) };
      if (isDown) this.#strokes.at(-1)!.push(this.#pen.at);
    }
    this.#update();
  }

  #update(): void {
    this.#paint();
    this.#changed();
  }

  #paint(): void {
    const canvas = this.#canvas;
    const size = Math.round(canvas.clientWidth * devicePixelRatio);
    if (canvas.width !== size || canvas.height !== size) {
      canvas.width = size;
      canvas.height = size;
    }
    const context = canvas.getContext('2d')!;
    const style = getComputedStyle(canvas);
    context.clearRect(0, 0, size, size);
    context.lineCap = 'round';
    context.lineJoin = 'round';
    context.lineWidth = penWidth * size;
    context.strokeStyle = style.getPropertyValue('--ink');
    for (const stroke of this.#strokes) {
      context.beginPath();
      const [first, ...others] = stroke.map(({ x, y }) => [x * size, y * size] as const);
      context.moveTo(...first!);
      // A line of no length is a dot.
      for (const point of others.length > 0 ? others : [first!]) context.lineTo(...point);
      context.stroke();
    }
    if (this.#pen === undefined) return;
    const { at, isDown } = this.#pen;
    context.beginPath();
    context.arc(at.x * size, at.y * size, 0.035 * size, 0, 2 * Math.PI);
    context.lineWidth = 0.012 * size;
    context.strokeStyle = style.getPropertyValue('--accent');
    context.fillStyle = style.getPropertyValue('--accent');
    context.stroke();
    if (isDown) context.fill();
  }
}
