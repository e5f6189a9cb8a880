// What a hand would do with a mouse, for headless browsers.
import type { Page } from 'playwright-core';
import type { Point, Stroke } from './page/digitPixels.ts';

const line = (...points: [number, number][]): Point[] => points.map(([x, y]) => ({ x, y }));

function arc(x: number, y: number, [width, height]: [number, number], [from, to]: [number, number]): Point[] {
  return Array.from({ length: 25 }, (_, step) => {
    const angle = from + ((to - from) * step) / 24;
    return { x: x + width * Math.cos(angle), y: y + height * Math.sin(angle) };
  });
}

/** Some digits, each as the strokes that draw it. */
export const drawings: Readonly<Record<0 | 1 | 3 | 4 | 7, readonly Stroke[]>> = {
  0: [arc(0.5, 0.5, [0.22, 0.34], [-1.6, 4.8])],
  1: [line([0.4, 0.28], [0.53, 0.15], [0.53, 0.85])],
  3: [[...arc(0.48, 0.32, [0.19, 0.17], [-2.6, 1.57]), ...arc(0.48, 0.67, [0.21, 0.19], [-1.57, 2.6])]],
  4: [line([0.52, 0.14], [0.26, 0.58], [0.76, 0.58]), line([0.6, 0.38], [0.56, 0.88])],
  7: [line([0.3, 0.17], [0.7, 0.17], [0.46, 0.85]), line([0.42, 0.5], [0.7, 0.5])],
};

/** Draws strokes on the page's canvas with the mouse. */
export async function draw(page: Page, strokes: readonly Stroke[]): Promise<void> {
  const pad = page.locator('#pad');
  await pad.scrollIntoViewIfNeeded();
  const box = await pad.boundingBox();
  if (box === null) throw new Error('the page has no drawing area');
  const place = ({ x, y }: Point): [number, number] => [box.x + x * box.width, box.y + y * box.height];
  for (const [first, ...others] of strokes) {
    await page.mouse.move(...place(first!));
    await page.mouse.down();
    for (const point of others) await page.mouse.move(...place(point), { steps: 3 });
    await page.mouse.up();
  }
}
