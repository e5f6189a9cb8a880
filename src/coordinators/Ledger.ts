import type { Clock } from '../clock.ts';
import { ModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { DataType } from '../parameters/values.ts';
import type { Store, StoreOperation } from '../storage/Store.ts';
import { Journal } from './Journal.ts';
import type { MainState } from './MainState.ts';
import type { Member, Membership } from './Membership.ts';
import { decodeMember, decodeTensors, encodeMember, encodeTensors, storedValues } from './persistence.ts';
import type { Settlement } from './receipts.ts';

const mainKey = 'main';
const childPrefix = 'child/';

/** Reads a record of this federation. */
export type ReadRecord = (key: string) => Promise<Uint8Array | undefined>;

/** What a stored main is. */
interface MainInfo {
  readonly layout: ParameterLayout;
  readonly dtype: DataType;
  readonly version: number;
}

/** A main that is durable. */
export interface CommittedMain {
  readonly version: number;
  /** A copy of it, in main's dtype. */
  read(): ModelParameters;
}

/** What a ledger needs and whom it tells. */
export interface LedgerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly federation: string;
  readonly generation: number;
  /** A new main is durable. */
  committed(main: CommittedMain): void;
  failed(error: Error): void;
}

/** Commits that wait to become one. */
interface HeldCommits {
  main: MainState | undefined;
  readonly members: Set<Member>;
  readonly more: Map<string, StoreOperation>;
  readonly settlements: Settlement[];
}

function createHeld(): HeldCommits {
  return { main: undefined, members: new Set(), more: new Map(), settlements: [] };
}

/** So many updates of one turn are committed together at most. */
const heldUpdatesMax = 1_024;

/** What a coordinator keeps in its store: main, and which updates of which child are in it. */
export class Ledger {
  readonly #store: Store;
  readonly #prefix: string;
  readonly #journal: Journal;
  readonly #committed: (main: CommittedMain) => void;
  #holds = 0;
  #held = createHeld();
  /** What stored mains are, beside their bytes: publishing need not read the layout again. */
  readonly #mains = new WeakMap<Uint8Array, MainInfo>();

  constructor({ store, clock, federation, generation, committed, failed }: LedgerOptions) {
    this.#store = store;
    this.#committed = committed;
    // An @ in a name is encoded: the generations of one federation never meet another federation.
    this.#prefix = `${encodeURIComponent(federation)}${generation === 0 ? '' : `@${generation}`}/`;
    this.#journal = new Journal(store, clock, {
      committed: (operations) => {
        const main = operations.find(({ key }) => key === this.#prefix + mainKey);
        const durable = main?.value && this.#committedMain(main.value);
        if (durable !== undefined) committed(durable);
      },
      failed,
    });
  }

  /** Updates that are in main and not durable yet. */
  get waitingUpdates(): number {
    return this.#journal.waitingUpdates + this.#held.settlements.length;
  }

  /** Writes what waits, and gives up what the store refuses even then. */
  close(): Promise<void> {
    this.#writeHeld();
    return this.#journal.close();
  }

  /** From here on commits are only noted, until as many `release` have followed: they then become one. */
  hold(): void {
    this.#holds++;
  }

  release(): void {
    this.#holds--;
    if (this.#holds === 0) this.#writeHeld();
  }

  /** Writes main, these members and `more` in one batch, and settles the promises when it is durable. */
  commit(
    main: MainState,
    members: readonly Member[],
    more: readonly StoreOperation[],
    settlements: readonly Settlement[],
  ): void {
    const held = this.#held;
    held.main = main;
    for (const member of members) held.members.add(member);
    for (const operation of more) held.more.set(operation.key, operation);
    held.settlements.push(...settlements);
    if (this.#holds === 0 || held.settlements.length >= heldUpdatesMax) this.#writeHeld();
  }

  /** Main as it is now is the main of all that was noted. */
  #writeHeld(): void {
    const { main, members, more, settlements } = this.#held;
    if (main === undefined) return;
    this.#held = createHeld();
    const { layout, dtype, version, values } = main;
    if (layout === undefined) return;
    const durable = [...members].filter(({ isDurable }) => isDurable);
    const bytes = encodeTensors(layout, values, { version, outerDtype: dtype });
    this.#mains.set(bytes, { layout, dtype, version });
    const operations = [
      { key: mainKey, value: bytes },
      ...durable.map((member) => ({ key: childKey(member), value: encodeMember(member) })),
      ...more.values(),
    ];
    this.#add(operations, settlements);
  }

  /** Writes records. */
  write(operations: readonly StoreOperation[]): void {
    if (operations.length > 0) this.#add(operations, []);
  }

  /** Removes records. */
  remove(keys: readonly string[]): void {
    // What was noted before must not come after.
    this.#writeHeld();
    this.write(keys.map((key) => ({ key, value: undefined })));
  }

  /** Removes what is known of a child. */
  forget(member: Member): void {
    if (member.isDurable) this.remove([childKey(member)]);
  }

  /** A record of this federation. */
  readonly read: ReadRecord = async (key) => this.#store.get(this.#prefix + key);

  /** Keys of this federation that start with `prefix`. */
  async keys(prefix: string): Promise<string[]> {
    const keys = await this.#store.keys(this.#prefix + prefix);
    return keys.map((key) => key.slice(this.#prefix.length));
  }

  /** Reads main and members; `apply` puts them back, `publish` tells. Undefined where the store has no main. */
  async load(
    main: MainState,
    membership: Membership,
  ): Promise<{ length: number; apply: () => void; publish: () => void } | undefined> {
    const stored = await this.read(mainKey);
    if (stored === undefined) return undefined;
    const { parameters, outerDtype, version } = decodeTensors(stored);
    const prefix = this.#prefix + childPrefix;
    const members: (ReturnType<typeof decodeMember> & { id: string })[] = [];
    for (const key of await this.#store.keys(prefix)) {
      const bytes = await this.#store.get(key);
      if (bytes !== undefined)
        members.push({ id: decodeURIComponent(key.slice(prefix.length)), ...decodeMember(bytes) });
    }
    const apply = (): void => {
      for (const member of members) membership.restore(member.id, member);
      main.replace(parameters, outerDtype, version);
      this.#mains.set(stored, { layout: parameters.layout, dtype: outerDtype, version });
    };
    const publish = (): void => {
      const durable = this.#committedMain(stored);
      if (durable !== undefined) this.#committed(durable);
    };
    return { length: parameters.values.length, apply, publish };
  }

  /** Undefined for bytes that are not of a main of this process: there are none. */
  #committedMain(bytes: Uint8Array): CommittedMain | undefined {
    const info = this.#mains.get(bytes);
    if (info === undefined) return undefined;
    const { layout, dtype, version } = info;
    const read = (): ModelParameters => {
      const main = new ModelParameters(layout, storedValues(bytes, layout), { baseVersion: version });
      return dtype === 'float64' ? main : main.toDataType(dtype);
    };
    return { version, read };
  }

  #add(operations: readonly StoreOperation[], settlements: readonly Settlement[]): void {
    this.#journal.add({
      operations: operations.map(({ key, value }) => ({ key: this.#prefix + key, value })),
      settlements,
    });
  }
}

function childKey({ id }: Member): string {
  return childPrefix + encodeURIComponent(id);
}
