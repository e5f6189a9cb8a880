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

/** 1234567 → `1,234,567`. */
export function countText(count: number): string {
  return count.toLocaleString('en-US');
}

/** Three digits, or two and a power of ten, at most six characters and a sign: `12.3`, `-0.051`, `1.2e-5`. */
export function numberText(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-2 || size >= 1e5)) return value.toExponential(1).replace('e+', 'e');
  if (size >= 1e3) return value.toFixed(0);
  return String(Number(value.toPrecision(3)));
}

/** 4_620_000 → `4.6 MB`; units of 1,000. */
export function bytesText(bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(1)} MB`;
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** A stranger's text must not steer the terminal: what cannot be printed is written as an escape. */
export function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return `\\u{${code}}`;
  });
}
