import Table from 'cli-table3';
import { countText, numberText, printable } from './format.ts';
import type { ReplayReport, ReplayStep } from './replay.ts';
import type { Style } from './report.ts';

/** Mains that are shown; of more, some are left out evenly. */
const rowsMax = 40;
const childrenShown = 3;

/** What came of a replay, for people: mains one below the other, and the update that did most harm. */
export function replayText(report: ReplayReport, style: Style): string {
  const { file, kernel, updates, without, steps, worst } = report;
  const left = without.length === 0 ? '' : `, without ${without.map(printable).join(', ')}`;
  const lines = [
    `${style('bold', printable(file))}  ${countText(updates)} updates${left}, ${countText(steps.length)} mains, kernel ${printable(kernel)}`,
  ];
  if (steps.length > 0) lines.push('', table(steps, worst, style), '', verdict(report));
  return `${lines.join('\n')}\n`;
}

function table(steps: readonly ReplayStep[], worst: ReplayStep | null, style: Style): string {
  const hasCost = steps.some(({ cost }) => cost !== null);
  const head = ['update', 'main', 'seconds', 'moved', ...(hasCost ? ['cost'] : []), 'children'];
  const rows = new Table({
    head: head.map((title) => style('bold', title)),
    colAligns: head.map((title) => (title === 'children' ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  for (const step of thinned(steps, worst)) {
    const { update, version, seconds, moved, cost } = step;
    const cells = [
      countText(update),
      countText(version),
      seconds === null ? '–' : seconds.toFixed(1),
      numberText(moved),
      ...(hasCost ? [cost === null ? '–' : numberText(cost)] : []),
      childrenText(step),
    ];
    rows.push(step === worst ? cells.map((cell) => style('red', cell)) : cells);
  }
  return rows.toString();
}

/** All of them, or so many: the first, the last, the worst, and what lies evenly between. */
function thinned(steps: readonly ReplayStep[], worst: ReplayStep | null): readonly ReplayStep[] {
  if (steps.length <= rowsMax) return steps;
  const places = Array.from({ length: rowsMax }, (_, row) =>
    Math.round((row * (steps.length - 1)) / (rowsMax - 1)),
  );
  const chosen = new Set(places.map((place) => steps[place]));
  return steps.filter((step) => chosen.has(step) || step === worst);
}

function childrenText({ children }: ReplayStep): string {
  if (children.length === 0) return 'set';
  const names = [...new Set(children)];
  const more = names.length - childrenShown;
  return `${names.slice(0, childrenShown).map(printable).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function verdict({ steps, worst }: ReplayReport): string {
  if (worst === null) return 'No main was worse than the one before.';
  const before = steps[steps.indexOf(worst) - 1];
  const who = `update ${countText(worst.update)}, of ${childrenText(worst)}`;
  return worst.cost === null || before?.cost == null
    ? `Main moved furthest with ${who}: by ${numberText(worst.moved)}.`
    : `Main became worse by most with ${who}: its cost went from ${numberText(before.cost)} to ${numberText(worst.cost)}.`;
}
