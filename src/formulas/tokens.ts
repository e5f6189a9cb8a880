import { formulaLimits } from '../limits.ts';
import { show } from '../show.ts';
import { formulaErrorAt } from './formulaError.ts';
import { constants, functions, wordOperators } from './names.ts';

/** A name in a formula and where it stands, from 0. */
export interface NameToken {
  readonly name: string;
  readonly index: number;
}

// A dot before an operator belongs to the operator: the parser knows .* ./ and .^ for matrices.
const numberPattern = /(?:\d+(?:\.(?![*/^])\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const namePattern = /[A-Za-z_]\w*/y;
const spacePattern = /[ \t\r\n\u00a0]+/y;
const operatorPattern = /<<|>>|\?\?|==|!=|<=|>=|[-+*/^%(),?:<>]/y;

const refusals: Readonly<Record<string, string>> = {
  '<<': 'shifts of bits are not allowed',
  '>>': 'shifts of bits are not allowed',
  '??': 'expected a ? b : c, got ??',
  '=': 'assignments are not allowed, two values are compared with ==',
  '[': 'matrices and indices are not allowed',
  ']': 'matrices and indices are not allowed',
  '{': 'objects are not allowed',
  '}': 'objects are not allowed',
  '"': 'strings are not allowed',
  "'": 'strings and transposition are not allowed',
  '.': 'properties are not allowed, expected a digit before or after the dot',
  ';': 'a formula is one expression, expected no ;',
  '#': 'comments are not allowed',
  '!': 'factorials are not allowed, the opposite of a condition is written not (…)',
  '&': 'bitwise operators are not allowed, expected and',
  '|': 'bitwise operators are not allowed, expected or',
  '~': 'bitwise operators are not allowed, expected not',
};

/** Operators that the parser has names for: without a value before them it takes them for variables. */
const needsValueBefore: ReadonlySet<string> = new Set(['%', 'and', 'or']);

/** What is open at one place: a parenthesis, and the conditionals in it that wait for their colon. */
interface Level {
  readonly at: number;
  readonly waiting: number[];
  /** Conditionals since the parenthesis or the last comma: the parser recurses into the right one of a chain. */
  conditionals: number;
}

/**
 * Reads a text from left to right before any parser sees it, so that the parser only gets what is short, flat and
 * made of allowed signs and names. Returns the names in their order, operators written as words left out. Throws
 * FormulaError.
 */
export function scan(text: string, variables: readonly string[]): NameToken[] {
  if (text.length > formulaLimits.textLengthMax) {
    const problem = `it has ${text.length} characters, ${formulaLimits.textLengthMax} are allowed`;
    throw formulaErrorAt(text, formulaLimits.textLengthMax, problem);
  }
  const names: NameToken[] = [];
  const levels: Level[] = [{ at: 0, waiting: [], conditionals: 0 }];
  let index = 0;
  let isAfterValue = false;
  const read = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = index;
    return pattern.exec(text)?.[0];
  };
  while (index < text.length) {
    const space = read(spacePattern);
    if (space !== undefined) {
      index += space.length;
      continue;
    }
    const digits = read(numberPattern);
    const name = digits === undefined ? read(namePattern) : undefined;
    const operator = digits === undefined && name === undefined ? read(operatorPattern) : undefined;
    const token = digits ?? name ?? operator ?? String.fromCodePoint(text.codePointAt(index) as number);
    if (!isAfterValue && needsValueBefore.has(token)) {
      throw formulaErrorAt(text, index, `expected a value before ${token}`);
    }
    if (digits !== undefined) checkNumber(text, index, digits);
    else if (name !== undefined) {
      checkName(text, index, name, variables);
      if (!wordOperators.has(name)) names.push({ name, index });
    } else checkOperator(text, index, token, operator !== undefined, levels);
    isAfterValue = operator === undefined ? !wordOperators.has(token) : operator === ')';
    index += token.length;
  }
  const { at, waiting } = levels.at(-1) as Level;
  if (waiting.length > 0) throw formulaErrorAt(text, waiting[0] as number, 'there is no : for this ?');
  if (levels.length > 1) throw formulaErrorAt(text, at, 'there is no ) for this (');
  return names;
}

function checkNumber(text: string, index: number, digits: string): void {
  if (!Number.isFinite(Number(digits))) {
    throw formulaErrorAt(text, index, `the number is too large, expected at most ${Number.MAX_VALUE}`);
  }
  if (digits === '0' && /[xXbBoO]/.test(text[index + 1] ?? '')) {
    throw formulaErrorAt(text, index, 'numbers are written with decimal digits');
  }
}

function checkName(text: string, index: number, name: string, variables: readonly string[]): void {
  if (wordOperators.has(name) || constants.has(name) || variables.includes(name)) return;
  const isCalled = /^\s*\(/.test(text.slice(index + name.length));
  if (functions.has(name)) {
    if (isCalled) return;
    throw formulaErrorAt(text, index, `${name} is a function, expected ${name}(…)`);
  }
  const problem = isCalled
    ? `there is no function ${show(name)}; functions are ${[...functions.keys()].join(', ')}`
    : `there is no variable ${show(name)}; ${
        variables.length === 0 ? 'there are no variables' : `variables are ${variables.join(', ')}`
      }; constants are ${[...constants.keys()].join(', ')}`;
  throw formulaErrorAt(text, index, problem);
}

function checkOperator(text: string, index: number, token: string, isKnown: boolean, levels: Level[]): void {
  const refusal = Object.hasOwn(refusals, token) ? refusals[token] : undefined;
  if (refusal !== undefined) throw formulaErrorAt(text, index, refusal);
  if (!isKnown) throw formulaErrorAt(text, index, `${show(token)} means nothing here`);
  const level = levels.at(-1) as Level;
  if (token === '(') levels.push({ at: index, waiting: [], conditionals: 0 });
  else if (token === '?') {
    level.waiting.push(index);
    level.conditionals++;
  } else if (token === ',') level.conditionals = 0;
  else if (token === ':' && level.waiting.pop() === undefined) {
    throw formulaErrorAt(text, index, 'ranges are not allowed, expected a ? before the colon');
  } else if (token === ')') {
    if (levels.length === 1) throw formulaErrorAt(text, index, 'there is no ( for this )');
    levels.pop();
  }
  if (token !== '(' && token !== '?') return;
  const nesting = levels.reduce((sum, { conditionals }) => sum + conditionals, levels.length - 1);
  if (nesting > formulaLimits.nestingMax) {
    const problem = `${formulaLimits.nestingMax} parentheses and conditionals inside each other are allowed`;
    throw formulaErrorAt(text, index, problem);
  }
}
