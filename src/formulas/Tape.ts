import { LimitExceededError } from '../errors.ts';
import { formulaLimits } from '../limits.ts';
import type { Expression } from './expressions.ts';
import type { Loop } from './loops.ts';
import { operations } from './operations.ts';

/** Values that one pass over the tape works on: a buffer of 2 kB, so that a formula's few stay in the first cache. */
export const chunkLength = 256;

/** A step of the tape, with the buffers that it works on. */
interface Instruction {
  readonly loop: Loop;
  readonly out: Float64Array;
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly c: Float64Array;
}

/** One value of a formula: a buffer, and the number that fills it if it is a constant. */
interface Register {
  readonly id: number;
  readonly values: Float64Array;
  readonly constant: number | undefined;
}

/**
 * An expression as a list of loops over buffers: no recursion, no lookup and no allocation while it runs. Constant
 * parts are worked out beforehand; equal parts are worked out once.
 */
export class Tape {
  /** The input buffers of the variables that matter. Fill them, then `run`. */
  readonly inputs: ReadonlyMap<string, Float64Array>;
  /** What `run` leaves behind. */
  readonly result: Float64Array;
  readonly #instructions: readonly Instruction[];

  /** Throws LimitExceededError for more operations or parts than `formulaLimits` allows. */
  constructor(expression: Expression) {
    const builder = new TapeBuilder();
    this.result = builder.registerOf(expression).values;
    this.inputs = builder.inputs;
    this.#instructions = builder.instructions;
  }

  /** Loops that one pass runs: the cost of a value. */
  get operationCount(): number {
    return this.#instructions.length;
  }

  /** Works out the first `count` values, at most `chunkLength`. */
  run(count: number): void {
    for (const { loop, out, a, b, c } of this.#instructions) loop(out, a, b, c, count);
  }
}

class TapeBuilder {
  readonly inputs: Map<string, Float64Array> = new Map();
  readonly instructions: Instruction[] = [];
  readonly #byPart = new Map<Expression, Register>();
  readonly #byContent = new Map<string, Register>();

  registerOf(part: Expression): Register {
    let register = this.#byPart.get(part);
    if (register === undefined) {
      if (this.#byPart.size >= formulaLimits.partsMax) {
        throw new LimitExceededError(`the formula has more than ${formulaLimits.partsMax} parts`);
      }
      register = this.#build(part);
      this.#byPart.set(part, register);
    }
    return register;
  }

  #build(part: Expression): Register {
    if (part.kind === 'number') return this.#constant(part.value);
    if (part.kind === 'variable') {
      return this.#shared(`variable ${part.name}`, () => {
        const register = this.#newRegister(undefined);
        this.inputs.set(part.name, register.values);
        return register;
      });
    }
    const args = part.args.map((arg) => this.registerOf(arg));
    const [base, exponent] = args as [Register, Register?];
    if (part.operation === 'power' && (exponent?.constant === 2 || exponent?.constant === 3)) {
      // Math.pow is slow: the GELU with x ^ 3 takes 1.7 times the loop by hand with products, 3.1 times with pow.
      const square = this.#call('multiply', [base, base]);
      return exponent.constant === 2 ? square : this.#call('multiply', [square, base]);
    }
    return this.#call(part.operation, args);
  }

  #call(operation: keyof typeof operations, args: readonly Register[]): Register {
    const { loop } = operations[operation];
    const [a, b = a, c = a] = args as [Register, Register?, Register?];
    const isConstant = args.every(({ constant }) => constant !== undefined);
    if (isConstant) {
      const value = new Float64Array(1);
      loop(value, a.values, b.values, c.values, 1);
      return this.#constant(value[0] as number);
    }
    return this.#shared(`${operation}(${args.map(({ id }) => id).join()})`, () => {
      if (this.instructions.length >= formulaLimits.operationsMax) {
        throw new LimitExceededError(`the formula has more than ${formulaLimits.operationsMax} operations`);
      }
      const register = this.#newRegister(undefined);
      this.instructions.push({ loop, out: register.values, a: a.values, b: b.values, c: c.values });
      return register;
    });
  }

  #constant(value: number): Register {
    const key = Object.is(value, -0) ? '-0' : String(value);
    return this.#shared(key, () => {
      const register = this.#newRegister(value);
      register.values.fill(value);
      return register;
    });
  }

  #shared(content: string, make: () => Register): Register {
    let register = this.#byContent.get(content);
    if (register === undefined) {
      register = make();
      this.#byContent.set(content, register);
    }
    return register;
  }

  #newRegister(constant: number | undefined): Register {
    return { id: this.#byContent.size, values: new Float64Array(chunkLength), constant };
  }
}
