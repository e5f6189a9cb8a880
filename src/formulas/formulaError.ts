import { FormulaError } from '../errors.ts';
import { show } from '../show.ts';

const before = 40;
const shown = 72;

/** A FormulaError whose message ends with the part of the text around the column, and a caret below it. */
export function formulaErrorAt(text: string, index: number, problem: string, cause?: unknown): FormulaError {
  const start = Math.max(0, index - before);
  // Control characters, line ends among them, would move the caret.
  const line = text.slice(start, start + shown).replace(/\p{C}|\s/gu, ' ');
  return new FormulaError(
    index + 1,
    `the formula breaks at column ${index + 1}: ${problem}\n  ${line}\n  ${' '.repeat(index - start)}^`,
    cause === undefined ? undefined : { cause },
  );
}

/** A formula that is no text at all. */
export function notText(value: unknown): FormulaError {
  return new FormulaError(1, `the formula is ${show(value)}, expected text such as 'x * sigmoid(x)'`);
}
