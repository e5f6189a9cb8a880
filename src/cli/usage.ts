import { readFileSync } from 'node:fs';

/** What `mainstem --help` prints. */
export const mainUsage = `Usage: mainstem <command> [options]

Commands:
  demo     trains handwritten digits on 8 children in four ways and compares them
  inspect  shows what is in a file of a model: its architecture and its tensors

Options:
  -h, --help     prints this, or after a command what it does
  -v, --version  prints the version
`;

/** What `mainstem demo --help` prints. */
export const demoUsage = `Usage: mainstem demo [options]

Splits 1,797 handwritten digits over children, once evenly and once so that each
sees few classes. Trains each child alone, with the gradients coordinator, with
the parameters coordinator, and one model on all the data; then once more on raw
pixels, without a scaler and behind one that the children fit together. Prints
accuracy on held-out rows, rounds, bytes that would travel, and seconds. Takes
about half a minute.

Options:
  --seed <n>      whole number that fixes everything random; default 1
  --children <n>  how many children share the rows, 2 to 64; default 8
  --json          prints one JSON document on stdout instead of the table
  -h, --help      prints this

Progress goes to stderr: bars in a terminal, lines elsewhere. NO_COLOR=1 turns
colours off. From a clone: npm start -- --seed 7, and
npm --silent start -- --json for JSON alone.
`;

/** What `mainstem inspect --help` prints. */
export const inspectUsage = `Usage: mainstem inspect <file> [options]

Shows what is in a file of a model: a .safetensors file of mainstem or of others,
the JSON of a model or of its parameters (toJSON), or JSON with nested arrays
(toNestedJson). Prints the architecture, and for each tensor its shape, type,
number of values, norm, smallest value, mean, largest value, and a histogram of
the values from the smallest to the largest. NaN and infinities count apart.

Options:
  --json      prints one JSON document instead of the table
  -h, --help  prints this

NO_COLOR=1 turns colours off.
`;

/** The version of the package, seen from src/cli and from dist/cli alike. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
