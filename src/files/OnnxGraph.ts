import { NonFiniteError } from '../errors.ts';
import { bytesOf, swapOnBigEndian } from '../parameters/littleEndian.ts';
import { findNonFinite } from '../parameters/values.ts';
import { ProtobufMessage } from './protobuf.ts';

/** Unity's manuals name operator sets 7 to 15; onnxruntime-web 1.30 takes 7 to 26, and file versions 3 to 13. */
const operatorSet = 15;
const fileVersion = 8;

/** Types of number, and of attribute, in onnx.proto. */
const elementType = { float: 1, int64: 7 } as const;
const attributeType = { float: 1, int: 2 } as const;

/** An attribute of a node. */
export type OnnxAttribute = { readonly float: number } | { readonly int: number };

/** Name and columns of what goes in or comes out; rows are the dimension `batch`. */
export interface OnnxValue {
  readonly name: string;
  readonly columns: number;
}

interface Node {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A computation that is being written as ONNX: one value in, node after node, the last value out. */
export class OnnxGraph {
  readonly #nodes: Node[] = [];
  readonly #tensors = new Map<string, ProtobufMessage>();

  /** Adds a node with one output; returns the name of that. */
  node(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ): string {
    const output = `${operator}_${this.#nodes.length}`;
    this.#nodes.push({ operator, inputs, output, attributes });
    return output;
  }

  /**
   * Adds a constant tensor, its numbers rounded to float32; returns its name. Throws NonFiniteError for numbers
   * beyond float32.
   */
  floats(name: string, shape: readonly number[], values: ArrayLike<number>): string {
    const numbers = Float32Array.from(values);
    const wrong = findNonFinite(numbers);
    if (wrong >= 0) {
      throw new NonFiniteError(
        `${name} has ${values[wrong]} at [${wrong}], expected numbers that fit float32`,
      );
    }
    return this.#tensor(name, shape, elementType.float, swapOnBigEndian(bytesOf(numbers), 4));
  }

  /** Adds a constant list of whole numbers; returns its name. */
  integers(name: string, values: readonly number[]): string {
    const numbers = BigInt64Array.from(values, BigInt);
    return this.#tensor(name, [values.length], elementType.int64, swapOnBigEndian(bytesOf(numbers), 8));
  }

  /** A single constant number; returns its name, the same for the same number. */
  constant(value: number): string {
    const name = `constant_${value}`;
    return this.#tensors.has(name) ? name : this.floats(name, [], [value]);
  }

  /** The whole model as the bytes of a file. The last node's value is the output. */
  toBytes(
    input: OnnxValue,
    output: OnnxValue,
    metadata: ReadonlyMap<string, string>,
  ): Uint8Array<ArrayBuffer> {
    const graph = new ProtobufMessage();
    this.#nodes.forEach((node, index) => {
      const isLast = index === this.#nodes.length - 1;
      graph.message(1, nodeMessage(isLast ? { ...node, output: output.name } : node));
    });
    graph.text(2, 'mainstem');
    for (const tensor of this.#tensors.values()) graph.message(5, tensor);
    graph.message(11, valueMessage(input)).message(12, valueMessage(output));
    const model = new ProtobufMessage()
      .integer(1, fileVersion)
      .text(2, 'mainstem')
      .message(7, graph)
      .message(8, new ProtobufMessage().text(1, '').integer(2, operatorSet));
    for (const [key, value] of metadata) {
      model.message(14, new ProtobufMessage().text(1, key).text(2, value));
    }
    return model.toBytes();
  }

  #tensor(name: string, shape: readonly number[], type: number, bytes: Uint8Array): string {
    const tensor = new ProtobufMessage();
    for (const axis of shape) tensor.integer(1, axis);
    this.#tensors.set(name, tensor.integer(2, type).text(8, name).bytes(9, bytes));
    return name;
  }
}

function nodeMessage({ operator, inputs, output, attributes }: Node): ProtobufMessage {
  const node = new ProtobufMessage();
  for (const input of inputs) node.text(1, input);
  node.text(2, output).text(3, output).text(4, operator);
  for (const [name, attribute] of Object.entries(attributes)) {
    const message = new ProtobufMessage().text(1, name);
    if ('float' in attribute) message.float(2, attribute.float).integer(20, attributeType.float);
    else message.integer(3, attribute.int).integer(20, attributeType.int);
    node.message(5, message);
  }
  return node;
}

/** Rows × columns of float32. */
function valueMessage({ name, columns }: OnnxValue): ProtobufMessage {
  const shape = new ProtobufMessage()
    .message(1, new ProtobufMessage().text(2, 'batch'))
    .message(1, new ProtobufMessage().integer(1, columns));
  const tensor = new ProtobufMessage().integer(1, elementType.float).message(2, shape);
  return new ProtobufMessage().text(1, name).message(2, new ProtobufMessage().message(1, tensor));
}
