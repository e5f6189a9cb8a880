import { InvalidDataError, InvalidOptionError } from '../errors.ts';
import { formulaLimits } from '../limits.ts';
import { checkOptions } from '../models/options.ts';
import type { Values } from '../parameters/values.ts';
import { show } from '../show.ts';
import { derive } from './derive.ts';
import type { Expression } from './expressions.ts';
import { constants, parserWords } from './names.ts';
import { parseFormula } from './parseFormula.ts';
import { print } from './print.ts';
import { chunkLength, Tape } from './Tape.ts';

/** Options of compileFormula. */
export interface FormulaOptions {
  /**
   * The names that the formula may use: letters, digits and _, none of them a constant or a word operator; none unless
   * given. One may be called like a function: `round` is then the variable and `round(…)` the function.
   */
  variables?: readonly string[];
}

/** A compiled formula of real numbers: a pure function of its variables. compileFormula makes it. */
export interface Formula {
  /** The formula as it was written; for a derivative, a text that compiles to it (LimitExceededError if too long). */
  readonly text: string;
  /** The variables that the result depends on. */
  readonly variables: readonly string[];
  /** Operations on each value: what evaluating costs. Constant parts cost nothing, equal parts count once. */
  readonly operationCount: number;
  /**
   * One value. Comparisons give 1 or 0; what has no real value is NaN. Names that are no variables are ignored.
   * Throws InvalidDataError where a variable is missing or no number.
   */
  evaluate(values: Readonly<Record<string, number>>): number;
  /**
   * A value for each place of the arrays, which are equally long; a number counts for all places. Writes into `into`,
   * or a new Float64Array. `into` may be one of the arrays. Throws InvalidDataError where lengths differ.
   */
  evaluateAll<Into extends Values = Float64Array<ArrayBuffer>>(
    arrays: Readonly<Record<string, Values | number>>,
    into?: Into,
  ): Into;
  /**
   * ∂/∂name as a formula, by symbolic rules. At a kink it is a number all the same: abs 0, max and min (so relu and
   * clamp too) the slope of the later operand, a conditional that of the side which it takes, steps 0.
   * Throws InvalidOptionError for an unknown name, LimitExceededError where it grows too large.
   */
  derivative(name: string): Formula;
}

const namePattern = /^[A-Za-z]\w*$/;

/**
 * Compiles a formula such as `'samples / sqrt(1 + staleness)'`. Numbers, the variables, `+ - * / ^ %`, comparisons,
 * `and or not`, `a ? b : c`, products without a sign (`2x`; `1/2x` is half of x, as in mathjs), parentheses and a list of functions are all there is; nothing else can be expressed, so
 * that texts of strangers are safe to compile and run. Throws FormulaError, which names the column, for anything
 * else, and InvalidOptionError for illegal names of variables.
 */
export function compileFormula(text: string, options: FormulaOptions = {}): Formula {
  const { variables = [] } = checkOptions<FormulaOptions>(options, { variables: checkVariables });
  return new CompiledFormula(parseFormula(text, variables), [...variables], text);
}

function checkVariables(names: unknown): void {
  if (!Array.isArray(names) || names.length > formulaLimits.variablesMax) {
    throw new InvalidOptionError(
      `variables are ${show(names)}, expected a list of at most ${formulaLimits.variablesMax} names`,
    );
  }
  for (const name of names as unknown[]) {
    const isName =
      typeof name === 'string' && name.length <= formulaLimits.variableLengthMax && namePattern.test(name);
    if (!isName) {
      throw new InvalidOptionError(
        `a variable is ${show(name)}, expected a letter, then letters, digits or _, ${formulaLimits.variableLengthMax} in all`,
      );
    }
    if (constants.has(name) || parserWords.has(name)) {
      throw new InvalidOptionError(`a variable is ${show(name)}, which means something else in formulas`);
    }
  }
}

class CompiledFormula implements Formula {
  readonly variables: readonly string[];
  readonly #expression: Expression;
  readonly #known: readonly string[];
  readonly #tape: Tape;
  #text: string | undefined;

  constructor(expression: Expression, known: readonly string[], text?: string) {
    this.#expression = expression;
    this.#known = known;
    this.#text = text;
    this.#tape = new Tape(expression);
    this.variables = known.filter((name) => this.#tape.inputs.has(name));
  }

  get text(): string {
    this.#text ??= print(this.#expression);
    return this.#text;
  }

  get operationCount(): number {
    return this.#tape.operationCount;
  }

  evaluate(values: Readonly<Record<string, number>>): number {
    for (const [name, input] of this.#tape.inputs) {
      const value: unknown = values[name];
      if (typeof value !== 'number') {
        throw new InvalidDataError(`variable ${name} is ${show(value)}, expected a number`);
      }
      input[0] = value;
    }
    this.#tape.run(1);
    return this.#tape.result[0] as number;
  }

  evaluateAll<Into extends Values = Float64Array<ArrayBuffer>>(
    arrays: Readonly<Record<string, Values | number>>,
    into?: Into,
  ): Into {
    const length = this.#commonLength(arrays, into);
    const out = into ?? new Float64Array(length);
    const { inputs, result } = this.#tape;
    for (let start = 0; start < length; start += chunkLength) {
      const count = Math.min(chunkLength, length - start);
      for (const [name, input] of inputs) {
        const source = arrays[name] as Values | number;
        if (typeof source === 'number') input.fill(source, 0, count);
        else for (let i = 0; i < count; i++) input[i] = source[start + i] as number;
      }
      this.#tape.run(count);
      for (let i = 0; i < count; i++) out[start + i] = result[i] as number;
    }
    return out as Into;
  }

  derivative(name: string): Formula {
    if (!this.#known.includes(name)) {
      throw new InvalidOptionError(
        `there is no variable ${show(name)}; variables are ${this.#known.join(', ')}`,
      );
    }
    return new CompiledFormula(derive(this.#expression, name), this.#known);
  }

  /** The length of all arrays, checked before anything is written. */
  #commonLength(arrays: Readonly<Record<string, unknown>>, into: unknown): number {
    const lengths = new Map<string, number>();
    const add = (what: string, value: unknown): void => {
      if (!(value instanceof Float64Array || value instanceof Float32Array)) {
        throw new InvalidDataError(`${what} is ${show(value)}, expected a Float64Array or Float32Array`);
      }
      lengths.set(what, value.length);
    };
    if (into !== undefined) add('into', into);
    for (const name of this.#known) {
      const value = Object.hasOwn(arrays, name) ? arrays[name] : undefined;
      if (value === undefined && !this.#tape.inputs.has(name)) continue;
      if (typeof value !== 'number') add(`variable ${name}`, value);
    }
    if (new Set(lengths.values()).size > 1) {
      const list = [...lengths].map(([what, length]) => `${what} has ${length} values`).join(', ');
      throw new InvalidDataError(`${list}: expected equally many`);
    }
    return lengths.values().next().value ?? 1;
  }
}
