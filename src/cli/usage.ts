import { readFileSync } from 'node:fs';

/** What `mainstem --help` prints. */
const mainUsage = `Usage: mainstem <command> [options]

Commands:
  demo     trains handwritten digits on 8 children in four ways and compares them
  inspect  shows what is in a file of a model: its architecture and its tensors
  serve    merges what children send over WebSockets
  join     trains on the rows of a file, as a child of such a coordinator
  replay   makes main again of a log, update by update, to find what broke it

Options:
  -h, --help     prints this, or after a command what it does
  -v, --version  prints the version
`;

/** What `mainstem demo --help` prints. */
const demoUsage = `Usage: mainstem demo [options]

Splits 1,797 handwritten digits over children, once evenly and once so that each
sees few classes. Trains each child alone, with the gradients coordinator, with
the parameters coordinator, and one model on all the data; then once more on raw
pixels, without a scaler and behind one that the children fit together. Prints
accuracy on held-out rows, rounds, bytes of all frames, and seconds. Takes a few
seconds.

The children of a coordinator are in worker threads, as many as there are cores
and children to share them. Elsewhere they do the same over another transport,
with the same results but for rounding.

Options:
  --processes     puts them in processes, one each up to 16, over WebSockets
  --in-process    puts them in the coordinator's own thread
  --seed <n>      whole number that fixes everything random; default 1
  --children <n>  how many children share the rows, 2 to 64; default 8
  --json          prints one JSON document on stdout instead of the table
  -h, --help      prints this

Progress goes to stderr: bars in a terminal, lines elsewhere. NO_COLOR=1 turns
colours off. From a clone: npm start -- --processes, and
npm --silent start -- --json for JSON alone.
`;

/** What `mainstem inspect --help` prints. */
const inspectUsage = `Usage: mainstem inspect <file> [options]

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

const serveUsage = `Usage: mainstem serve [options]

Listens for children over WebSockets and merges the parameters that they send,
weighted by their rows. Ctrl-C lets them go, and writes main where --save says.

Options:
  --port <n>      1 to 65535, or 0 for a free one; default 7070
  --host <name>   address to listen on; default 127.0.0.1, which only this
                  machine can reach; 0.0.0.0 for all
  --token <text>  what children have to say; without it anybody may join
  --merge <n>     makes a new main of every n updates; default 0: of the latest
                  of each child, at every update
  --save <file>   writes main there at the end, as safetensors
  --log <file>    writes all updates there, for mainstem replay
  -h, --help      prints this
`;

const joinUsage = `Usage: mainstem join <url> --data <file> --label <column> [options]

Trains a network on the rows of a CSV file with a header, sends its parameters to
the coordinator at the url (ws:// or wss://), takes main back, and so on. A fifth
of the rows is held out and shows how good the model is. All columns but the label must
be numbers; they are scaled by what the first child has seen. Ctrl-C leaves.

Options:
  --data <file>     the rows
  --label <column>  what is to be predicted: classes, or a quantity
  --classes <a,b>   what the label can be, where these rows have not all of it
  --id <name>       name of this child; default: made of the machine's and a number
  --token <text>    what the coordinator wants to hear
  --units <n>       units of the hidden layer, 1 to 4096; default 32
  --rounds <n>      default 20
  --epochs <n>      passes over the rows in each round; default 2
  --seed <n>        fixes what is random; the same for all children; default 1
  -h, --help        prints this
`;

const replayUsage = `Usage: mainstem replay <log> [options]

Makes main again of a log that mainstem serve --log or mainstem/replay has
written, and shows each main: the update it came of, who sent that, how far main
moved, and its cost on the rows of a file. Names the update after which main was
worse by most.

Options:
  --data <file>     CSV file with a header: the rows that the cost is of
  --label <column>  the column that is to be predicted
  --until <n>       stops after update n
  --without <id>    leaves out what this child sent; may be given again
  --save <file>     writes the last main there, as safetensors
  --json            prints one JSON document, with every main
  -h, --help        prints this
`;

/** What `--help` prints of each command. */
export const usages: Readonly<Record<'mainstem' | 'demo' | 'inspect' | 'serve' | 'join' | 'replay', string>> =
  {
    mainstem: mainUsage,
    demo: demoUsage,
    inspect: inspectUsage,
    serve: serveUsage,
    join: joinUsage,
    replay: replayUsage,
  };

/** The version of the package, seen from src/cli and from dist/cli alike. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
