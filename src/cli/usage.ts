import { readFileSync } from 'node:fs';

/** What `mainstem --help` prints. */
export const mainUsage = `Usage: mainstem <command> [options]

Commands:
  demo  trains handwritten digits on 8 children in four ways and compares them

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

/** The version of the package, seen from src/cli and from dist/cli alike. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
