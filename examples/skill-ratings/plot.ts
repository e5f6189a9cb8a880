/** A bin of predictions: what was said on average, and how often it was so. */
export interface Bin {
  readonly told: number;
  readonly so: number;
  readonly count: number;
}

const size = 360;
const margin = 72;

/** A reliability diagram: predicted probabilities against how often it was so, the size of a dot by its number of matches. */
export function reliabilityDiagram(bins: readonly Bin[], title: string): string {
  const x = (value: number): string => (margin + value * size).toFixed(1);
  const y = (value: number): string => (margin + (1 - value) * size).toFixed(1);
  const whole = size + 2 * margin;
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (tick) => `  <line x1="${x(tick)}" y1="${y(0)}" x2="${x(tick)}" y2="${y(1)}" stroke="#e4e4e4"/>
  <line x1="${x(0)}" y1="${y(tick)}" x2="${x(1)}" y2="${y(tick)}" stroke="#e4e4e4"/>
  <text x="${x(tick)}" y="${Number(y(0)) + 18}" text-anchor="middle">${100 * tick} %</text>
  <text x="${Number(x(0)) - 8}" y="${Number(y(tick)) + 4}" text-anchor="end">${100 * tick} %</text>`,
  );
  const dots = bins
    .filter(({ count }) => count > 0)
    .map(({ told, so, count }) => {
      // Twice the standard error of a share.
      const reach = 2 * Math.sqrt(Math.max(1e-9, told * (1 - told)) / count);
      const bar = `  <line x1="${x(told)}" y1="${y(Math.max(0, so - reach))}" x2="${x(told)}" y2="${y(Math.min(1, so + reach))}" stroke="#1f6feb" stroke-width="1.5"/>`;
      return `${bar}\n  <circle cx="${x(told)}" cy="${y(so)}" r="${Math.min(9, 2 + Math.sqrt(count) / 4).toFixed(1)}" fill="#1f6feb"/>`;
    });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${whole}" height="${whole}" viewBox="0 0 ${whole} ${whole}" font-family="sans-serif" font-size="12" fill="#333">
  <rect width="${whole}" height="${whole}" fill="#fff"/>
  <text x="${whole / 2}" y="28" text-anchor="middle" font-size="15">${title}</text>
${ticks.join('\n')}
  <line x1="${x(0)}" y1="${y(0)}" x2="${x(1)}" y2="${y(1)}" stroke="#999" stroke-dasharray="4 4"/>
${dots.join('\n')}
  <text x="${whole / 2}" y="${whole - 12}" text-anchor="middle">predicted chance of the first player</text>
  <text x="16" y="${whole / 2}" text-anchor="middle" transform="rotate(-90 16 ${whole / 2})">how often they won</text>
</svg>
`;
}
