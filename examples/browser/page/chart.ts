const edge = { left: 44, right: 12, top: 10, bottom: 26 };
const namespace = 'http://www.w3.org/2000/svg';
const percents = [0, 25, 50, 75, 100];

type Attributes = Readonly<Record<string, string | number>>;

function element(name: string, attributes: Attributes, text = ''): SVGElement {
  const made = document.createElementNS(namespace, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.textContent = text;
  return made;
}

/** Draws main's accuracy (0 to 1) over its versions into an element of the page. */
export function drawChart(
  target: HTMLElement,
  history: readonly (readonly [version: number, accuracy: number])[],
): void {
  const [first] = history;
  const last = history.at(-1);
  if (first === undefined || last === undefined) return;
  const { clientWidth: width, clientHeight: height } = target;
  // A fresh model has one point only; it stands at the left.
  const span = Math.max(20, last[0] - first[0]);
  const across = (version: number): number =>
    edge.left + ((version - first[0]) / span) * (width - edge.left - edge.right);
  const up = (accuracy: number): number =>
    height - edge.bottom - accuracy * (height - edge.top - edge.bottom);
  const svg = element('svg', { viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' });
  for (const percent of percents) {
    const y = up(percent / 100);
    svg.append(element('line', { class: 'grid', x1: edge.left, x2: width - edge.right, y1: y, y2: y }));
    svg.append(element('text', { x: edge.left - 8, y: y + 4, 'text-anchor': 'end' }, `${percent} %`));
  }
  const points = history.map(
    ([version, accuracy]) => `${across(version).toFixed(1)},${up(accuracy).toFixed(1)}`,
  );
  const ends = [`${across(last[0])},${up(0)}`, `${across(first[0])},${up(0)}`];
  svg.append(element('polygon', { class: 'area', points: [...points, ...ends].join(' ') }));
  svg.append(element('polyline', { class: 'line', points: points.join(' ') }));
  svg.append(element('circle', { class: 'latest', cx: across(last[0]), cy: up(last[1]), r: 4.5 }));
  const bottom = { y: height - 6 };
  svg.append(element('text', { ...bottom, x: edge.left }, `step ${first[0]}`));
  const end = { ...bottom, x: width - edge.right, 'text-anchor': 'end' };
  svg.append(element('text', end, (first[0] + span).toLocaleString('en')));
  target.replaceChildren(svg);
  target.setAttribute(
    'aria-label',
    `From ${percentOf(first[1])} at step ${first[0]} to ${percentOf(last[1])} at step ${last[0]}`,
  );
}

/** `93.6 %`. */
export function percentOf(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
