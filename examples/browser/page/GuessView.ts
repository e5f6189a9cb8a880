import { byId, show } from './view.ts';

const digits = Array.from({ length: 10 }, (_, digit) => digit);

interface Bar {
  readonly row: HTMLElement;
  readonly fill: HTMLElement;
  readonly percent: HTMLElement;
}

/** The ten probabilities as bars, and the ten buttons for the right answer. */
export class GuessView {
  readonly #bars: readonly Bar[];
  readonly #labels: readonly HTMLButtonElement[];

  /** `chosen` is called with the digit whose button was pressed. */
  constructor(chosen: (label: number) => void) {
    this.#bars = digits.map(makeBar);
    byId('bars').replaceChildren(...this.#bars.map(({ row }) => row));
    this.#labels = digits.map((digit) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = `${digit}`;
      button.setAttribute('aria-label', `It was a ${digit}`);
      button.addEventListener('click', () => chosen(digit));
      return button;
    });
    byId('label-buttons').replaceChildren(...this.#labels);
    this.setDrawing(false);
  }

  /** Whether there is something to guess. */
  setDrawing(isThere: boolean): void {
    for (const button of this.#labels) button.disabled = !isThere;
    if (isThere) return;
    show('guess', 'Nothing drawn yet');
    this.#setBars(digits.map(() => 0));
  }

  /** Shows how likely each digit is; undefined where there is no model yet. */
  setProbabilities(probabilities: readonly number[] | undefined): void {
    if (probabilities === undefined) {
      show('guess', 'There is no model yet');
      return;
    }
    this.#setBars(probabilities);
    const best = probabilities.indexOf(Math.max(...probabilities));
    const share = probabilities[best]!;
    const certainty = share > 0.9 ? 'This is' : share > 0.6 ? 'Probably' : 'Perhaps';
    show('guess', `${certainty} a ${best}`);
  }

  #setBars(probabilities: readonly number[]): void {
    const best = Math.max(...probabilities);
    this.#bars.forEach(({ row, fill, percent }, digit) => {
      const share = probabilities[digit]!;
      row.classList.toggle('first', best > 0 && share === best);
      fill.style.width = `${(100 * share).toFixed(1)}%`;
      percent.textContent = best > 0 ? `${Math.round(100 * share)} %` : '';
    });
  }
}

function makeBar(digit: number): Bar {
  const row = document.createElement('li');
  const [name, track, fill, percent] = ['name', 'track', 'fill', 'percent'].map((className) => {
    const part = document.createElement('span');
    part.className = className;
    return part;
  }) as [HTMLElement, HTMLElement, HTMLElement, HTMLElement];
  name.textContent = `${digit}`;
  track.append(fill);
  row.append(name, track, percent);
  return { row, fill, percent };
}
