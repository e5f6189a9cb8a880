import { checkedTree } from './checkedTree.ts';
import type { Expression } from './expressions.ts';
import { formulaErrorAt, notText } from './formulaError.ts';
import type { MathjsNode } from './mathjs.ts';
import { parseWithMathjs } from './mathjs.ts';
import { scan } from './tokens.ts';

/**
 * A text as a checked tree. mathjs says how it is put together; nothing of its result is kept but numbers and the
 * names that are allowed. Throws FormulaError.
 */
export function parseFormula(text: string, variables: readonly string[]): Expression {
  if (typeof text !== 'string') throw notText(text);
  const names = scan(text, variables);
  return checkedTree(parsed(text), text, variables, names);
}

/**
 * The parser tries what follows a % twice, as it may be a percentage, and so 2ⁿ times for n of them inside each
 * other. `mod` means the remainder alone and has the same precedence.
 */
const remainder = ' mod ';

function parsed(text: string): MathjsNode {
  try {
    return parseWithMathjs(text.replace(/\s/g, ' ').replaceAll('%', remainder));
  } catch (error) {
    if (error instanceof RangeError) throw formulaErrorAt(text, 0, 'it is nested too deeply', error);
    const { char, message } = error as { char?: number; message: string };
    const problem = message.replace(/ \(char \d+\)$/, '').replaceAll('mod', '%');
    throw formulaErrorAt(text, originalIndex(text, (char ?? 1) - 1), problem, error);
  }
}

/** Where a place in the parser's text is in the user's. */
function originalIndex(text: string, parserIndex: number): number {
  let index = 0;
  for (let at = 0; at < parserIndex && index < text.length; index++) {
    at += text[index] === '%' ? remainder.length : 1;
    if (at > parserIndex) break;
  }
  return Math.min(index, text.length);
}
