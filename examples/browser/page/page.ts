import type { ProgressReport } from '../Progress.ts';
import type { TabState } from '../Tab.ts';
import { drawChart, percentOf } from './chart.ts';
import { digitPixels } from './digitPixels.ts';
import { GuessView } from './GuessView.ts';
import type { ToPage, ToWorker } from './messages.ts';
import { Pad } from './Pad.ts';
import { byId, paintPixels, show } from './view.ts';

const progressEveryMs = 500;

const names: Readonly<Record<TabState, string>> = {
  connecting: 'Connecting',
  connected: 'Connected',
  away: 'Away: looking for the server',
  refused: 'Not connected',
};

const reasons: Readonly<Partial<Record<TabState, string>>> = {
  away: 'The server does not answer. This tab looks for it by itself; you can go on drawing.',
  refused: 'This tab is not connected to the server',
};

let state: TabState = 'connecting';
let pixels: number[] = [];
let drawn = 0;
let isGuessPending = false;

const worker = new Worker('/worker.js', { type: 'module', name: 'training' });
const tell = (message: ToWorker): void => worker.postMessage(message);
const pad = new Pad(byId('pad') as HTMLCanvasElement, drawingChanged);
const guess = new GuessView(giveLabel);

function drawingChanged(): void {
  const isEmpty = pad.strokes.length === 0;
  pixels = digitPixels(pad.strokes);
  paintPixels(byId('seen') as HTMLCanvasElement, pixels);
  byId('pad').setAttribute('aria-label', isEmpty ? 'Drawing area, empty' : 'Drawing area, with your digit');
  byId('pad-hint').hidden = !isEmpty;
  (byId('clear') as HTMLButtonElement).disabled = isEmpty;
  if (!isEmpty) show('added', '');
  guess.setDrawing(!isEmpty);
  askForGuess();
}

/** One question at a time: a pen and a main that move ask faster than anybody could look. */
function askForGuess(): void {
  if (isGuessPending || pad.strokes.length === 0) return;
  isGuessPending = true;
  tell({ type: 'guess', pixels });
}

function giveLabel(label: number): void {
  if (pad.strokes.length === 0) return;
  tell({ type: 'add', pixels, label });
  drawn++;
  show('drawn', `${drawn}`);
  pad.clear();
  show('added', `Thank you: your ${label} is now among the digits that this tab learns from.`);
  byId('pad').focus();
}

function setState(next: TabState, reason: string | undefined): void {
  state = next;
  byId('state').dataset.state = next;
  show('state-text', names[next]);
  const text = reasons[next];
  byId('reason').hidden = text === undefined;
  byId('retry').hidden = next !== 'refused';
  show('reason-text', next === 'refused' && reason !== undefined ? `${text}: ${reason}.` : (text ?? ''));
  if (next === 'connected') void updateProgress();
}

function showProgress({ tabs, accuracy, history }: ProgressReport): void {
  show('accuracy', percentOf(accuracy));
  show('tabs', `${tabs}`);
  show('tabs-name', tabs === 1 ? 'tab trains now' : 'tabs train now');
  drawChart(byId('chart'), history);
}

async function updateProgress(): Promise<void> {
  if (state !== 'connected') return;
  try {
    showProgress((await (await fetch('/progress')).json()) as ProgressReport);
  } catch {
    // The server is away; the child says so when it notices.
  }
}

worker.addEventListener('message', ({ data }: MessageEvent<ToPage>) => {
  switch (data.type) {
    case 'state':
      setState(data.state, data.reason);
      return;
    case 'shard':
      show(
        'shard',
        `Share ${data.shard + 1} of ${data.shards} of a public collection of digits, and what you draw.`,
      );
      return;
    case 'digits':
      show('digits', data.count.toLocaleString('en'));
      return;
    case 'main':
      show('version', data.version.toLocaleString('en'));
      askForGuess();
      return;
    case 'sent':
      show('sent', data.count.toLocaleString('en'));
      return;
    case 'guess':
      isGuessPending = false;
      if (pad.strokes.length > 0) guess.setProbabilities(data.probabilities);
  }
});

byId('clear').addEventListener('click', () => pad.clear());
byId('retry').addEventListener('click', () => tell({ type: 'start' }));
byId('pad').addEventListener('keydown', ({ key, ctrlKey, metaKey, altKey }) => {
  if (/^\d$/.test(key) && !ctrlKey && !metaKey && !altKey) giveLabel(Number(key));
});
// A tab that may come back from the browser's cache joins again.
addEventListener('pagehide', () => tell({ type: 'leave' }));
addEventListener('pageshow', ({ persisted }) => {
  if (persisted) tell({ type: 'start' });
});
setInterval(() => void updateProgress(), progressEveryMs);
tell({ type: 'start' });
paintPixels(byId('seen') as HTMLCanvasElement, digitPixels([]));
