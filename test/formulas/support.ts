import { compileFormula } from 'mainstem/formulas';
import type { MathJsInstance } from 'mathjs';
import { all, create } from 'mathjs';

/** A whole mathjs beside the parts that are bundled: real numbers only, and comparisons as exact as it can. */
export const math: MathJsInstance = create(all!, { predictable: true, relTol: 1e-300, absTol: 1e-300 });

/** What a call throws; fails where it throws nothing. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

/** A formula of x at one place. */
export function at(text: string, x: number): number {
  return compileFormula(text, { variables: ['x'] }).evaluate({ x });
}

/** The slope of f at x and how uncertain it is: Ridders 1982, differences of ever smaller steps extrapolated to 0. */
export function ridders(f: (x: number) => number, x: number, step: number): { slope: number; error: number } {
  const shrink = 1.4;
  const table: number[][] = [];
  let best = { slope: Number.NaN, error: Infinity };
  for (let row = 0, h = step; row < 12; row++, h /= shrink) {
    const current = [(f(x + h) - f(x - h)) / (2 * h)];
    table.push(current);
    for (let column = 1, factor = shrink ** 2; column <= row; column++, factor *= shrink ** 2) {
      const left = current[column - 1]!;
      const above = table[row - 1]![column - 1]!;
      const value = (left * factor - above) / (factor - 1);
      current.push(value);
      const error = Math.max(Math.abs(value - left), Math.abs(value - above));
      if (error <= best.error) best = { slope: value, error };
    }
  }
  return best;
}
