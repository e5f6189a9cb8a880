// Reads what `npm --silent start -- --json` printed, on stdin, and holds the demo to what the README promises.
//   npm --silent start -- --json | node scripts/check-demo.mjs [--seconds <how long the whole start took>]
import { readFileSync } from 'node:fs';

const PARAMETERS_ACCURACY_MIN = 0.95;
const CENTRAL_LEAD_MAX = 0.015;
const LEAD_OVER_ALONE_MIN = 0.03;
const SECONDS_MAX = 60;

const text = readFileSync(0, 'utf8');
const option = process.argv.indexOf('--seconds');
const seconds = option < 0 ? undefined : Number(process.argv[option + 1]);
const problems = [];

function hold(holds, sentence) {
  console.log(`${holds ? 'ok    ' : 'FAILED'} ${sentence}`);
  if (!holds) problems.push(sentence);
}

function parse() {
  try {
    return JSON.parse(text);
  } catch (error) {
    const beginning = JSON.stringify(text.slice(0, 200));
    console.error(`check-demo: not JSON (${error.message}); it began with ${beginning}`);
    process.exit(1);
  }
}

/** Mean accuracy of the results with this name; NaN, which fails every comparison, where there is none. */
function accuracyOf(split, name) {
  const values = split.results.filter((result) => result.name === name).map((result) => result.accuracy);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

const demo = parse();
const even = demo.splits?.find((split) => split.name === 'even');
if (even === undefined) {
  console.error(`check-demo: no split named "even" in ${text.slice(0, 200)}`);
  process.exit(1);
}
const parameters = accuracyOf(even, 'parameters');
const central = accuracyOf(even, 'central');
const alone = accuracyOf(even, 'alone');
const shown = (value) => value.toFixed(4);

hold(parameters >= PARAMETERS_ACCURACY_MIN, `parameters ${shown(parameters)} >= ${PARAMETERS_ACCURACY_MIN}`);
hold(
  central - parameters <= CENTRAL_LEAD_MAX,
  `central leads by ${shown(central - parameters)} <= ${CENTRAL_LEAD_MAX}`,
);
hold(
  parameters - alone >= LEAD_OVER_ALONE_MIN,
  `lead over alone ${shown(parameters - alone)} >= ${LEAD_OVER_ALONE_MIN}`,
);
if (seconds !== undefined) hold(seconds < SECONDS_MAX, `npm start took ${seconds} s < ${SECONDS_MAX} s`);
process.exitCode = problems.length > 0 ? 1 : 0;
