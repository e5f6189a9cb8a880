import { inkMax } from '../ink.ts';

/** The element with this id, which the page has. */
export function byId(id: string): HTMLElement {
  return document.getElementById(id)!;
}

/** Puts a text into an element; one that is there already is left alone, so that nobody reads it out again. */
export function show(id: string, text: string): void {
  const target = byId(id);
  if (target.textContent !== text) target.textContent = text;
}

/** Paints 8 × 8 pixels between 0 and 16 in the colours of the page. */
export function paintPixels(canvas: HTMLCanvasElement, pixels: readonly number[]): void {
  const context = canvas.getContext('2d')!;
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = getComputedStyle(canvas).getPropertyValue('--ink');
  pixels.forEach((pixel, index) => {
    context.globalAlpha = pixel / inkMax;
    context.fillRect(index % canvas.width, Math.floor(index / canvas.width), 1, 1);
  });
}
