import type { WayName } from './setting.ts';

/** How each way of training is called in what people read. */
export const wayTitles: Readonly<Record<WayName, string>> = {
  alone: 'each child alone',
  gradients: 'gradients coordinator',
  parameters: 'parameters coordinator',
  central: 'one model, all rows',
  unscaled: 'parameters, no scaler',
  scaled: 'parameters, scaler',
};

/** 0.9694 → `96.9 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** 0.0123 → `1.2 points`. */
export function points(difference: number): string {
  return `${(difference * 100).toFixed(1)} points`;
}

/** 4_620_000 → `4.6 MB`; units of 1,000. */
export function bytesText(bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
