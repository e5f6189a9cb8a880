import type { Clock } from '../clock.ts';
import { heldUpdatesMax } from '../limits.ts';
import type { Settlement } from '../Settlement.ts';
import { noStore } from '../storage/noStore.ts';
import type { Store, StoreOperation } from '../storage/Store.ts';
import type { CommittedMain } from './CommittedMain.ts';
import { SharedMain, StoredMain } from './CommittedMain.ts';
import { Journal } from './Journal.ts';
import type { MainState } from './MainState.ts';
import type { Member, Membership } from './Membership.ts';
import { decodeMember, decodeTensors, encodeMember, encodeTensors } from './persistence.ts';

const mainKey = 'main';
const childPrefix = 'child/';

export type { CommittedMain } from './CommittedMain.ts';

/** Reads a record of this federation. */
export type ReadRecord = (key: string) => Promise<Uint8Array | undefined>;

/** What a ledger needs and whom it tells. */
export interface LedgerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly federation: string;
  readonly generation: number;
  readonly uncommittedUpdatesMax: number;
  readonly events: LedgerEvents;
}

/** What a ledger asks, and whom it tells. */
export interface LedgerEvents {
  /** What is stored of main's coordinator with main as it is now, when updates of these members are in it. */
  state(members: readonly Member[]): readonly StoreOperation[];
  readonly plugins: {
    /** None of them: nothing can keep a durable main back. */
    readonly isEmpty: boolean;
    /** What is stored of them. */
    save(): readonly StoreOperation[];
  };
  /** A new main is durable. */
  committed(main: CommittedMain): void;
  failed(error: Error): void;
}

/** Commits that wait to become one. */
interface HeldCommits {
  main: MainState | undefined;
  readonly members: Set<Member>;
  readonly settlements: Settlement[];
}

function createHeld(): HeldCommits {
  return { main: undefined, members: new Set(), settlements: [] };
}

/** The record of main, and who reads it once it is durable. */
interface MainOperation extends StoreOperation {
  readonly main: CommittedMain;
}

/** What a coordinator keeps in its store: main, and which updates of which child are in it. */
export class Ledger {
  readonly #store: Store;
  readonly #prefix: string;
  readonly #journal: Journal;
  readonly #events: LedgerEvents;
  /** So many updates are committed together at most. */
  readonly #heldMax: number;
  #holds = 0;
  #isClosed = false;
  #held = createHeld();
  /** The newest main where nothing is stored: it shares its values with main until main moves on without a commit. */
  #shared: SharedMain | undefined;
  /** Values of a main that nobody sees any more. */
  #spare: Float64Array<ArrayBuffer> | undefined;

  constructor({ store, clock, federation, generation, uncommittedUpdatesMax, events }: LedgerOptions) {
    this.#store = store;
    this.#events = events;
    this.#heldMax = Math.min(heldUpdatesMax, uncommittedUpdatesMax);
    // An @ in a name is encoded: the generations of one federation never meet another federation.
    this.#prefix = `${encodeURIComponent(federation)}${generation === 0 ? '' : `@${generation}`}/`;
    this.#journal = new Journal(store, clock, {
      committed: (operations) => {
        const main = operations.find(isOfMain);
        if (main !== undefined) events.committed(main.main);
      },
      failed: (error) => events.failed(error),
    });
  }

  /** Updates that are in main and not durable yet. */
  get waitingUpdates(): number {
    return this.#journal.waitingUpdates + this.#held.settlements.length;
  }

  /** Writes what waits, and gives up what the store refuses even then. From now on nothing is held. */
  close(): Promise<void> {
    this.#isClosed = true;
    this.flush();
    return this.#journal.close();
  }

  /**
   * From here on commits are only noted, until as many `release` have followed: they then become one. Too many of them
   * are written all the same.
   */
  hold(): void {
    this.#holds++;
  }

  release(): void {
    if (this.#holds > 0) this.#holds--;
    if (this.#holds === 0) this.flush();
  }

  /**
   * Main has changed, by updates of these members: writes it with what belongs to it in one batch, and settles when that
   * is durable.
   */
  commit(main: MainState, members: readonly Member[], settlements: readonly Settlement[]): void {
    const held = this.#held;
    held.main = main;
    for (const member of members) held.members.add(member);
    for (const settlement of settlements) held.settlements.push(settlement);
    const isHeld = this.#holds > 0 && !this.#isClosed && held.settlements.length < this.#heldMax;
    // Main's values of before are still whole, but the next change would take their place.
    if (!isHeld) this.flush();
    else if (this.#events.plugins.isEmpty) this.#shared?.keep(main, this.#spare);
    else this.#shared?.detach();
  }

  /**
   * Writes what was noted. All of it is in main as it is now, and so is the state of the optimizer and of plugins: whose
   * moments in between nobody could have seen.
   */
  flush(): void {
    const { main, members, settlements } = this.#held;
    if (main === undefined) return;
    this.#held = createHeld();
    if (this.#store === noStore) this.#commitUnstored(main, settlements);
    else this.#storeAll(main, [...members], settlements);
  }

  /** Writes records. */
  write(operations: readonly StoreOperation[]): void {
    if (operations.length === 0 || this.#store === noStore) return;
    this.#journal.add({ operations: operations.map((operation) => this.#named(operation)), settlements: [] });
  }

  /** Removes records. */
  remove(keys: readonly string[]): void {
    // What was noted before must not come after.
    this.flush();
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
    };
    const { layout } = parameters;
    const publish = (): void =>
      this.#events.committed(new StoredMain(stored, { layout, dtype: outerDtype, version }));
    return { length: parameters.values.length, apply, publish };
  }

  #storeAll(main: MainState, members: readonly Member[], settlements: readonly Settlement[]): void {
    const { plugins } = this.#events;
    // First: it is code of others, and may even change main.
    const saved = plugins.save();
    const { layout, dtype, version, values } = main;
    if (layout === undefined) return;
    const value = encodeTensors(layout, values, { version, outerDtype: dtype });
    const stored: MainOperation = {
      key: this.#prefix + mainKey,
      value,
      main: new StoredMain(value, { layout, dtype, version }),
    };
    const operations: StoreOperation[] = [stored];
    const durable = members.filter(({ isDurable }) => isDurable);
    const more = [
      ...durable.map((member) => ({ key: childKey(member), value: encodeMember(member) })),
      ...this.#events.state(members),
      ...saved,
    ];
    for (const operation of more) operations.push(this.#named(operation));
    this.#journal.add({ operations, settlements });
  }

  /** Where nothing is stored, a main is as durable as it will ever be. */
  #commitUnstored(main: MainState, settlements: readonly Settlement[]): void {
    const { plugins } = this.#events;
    // A plugin may keep the new main back, so that the one before is out for longer, and its `save` may change main again.
    if (!plugins.isEmpty) this.#shared?.detach();
    const before = this.#shared;
    plugins.save();
    const { layout, dtype, version, values } = main;
    if (layout === undefined) return;
    const durable = new SharedMain(values, { layout, dtype, version });
    if (!plugins.isEmpty) durable.detach();
    this.#shared = durable;
    this.#events.committed(durable);
    // Nobody has the main of before any more: what it kept can be used again.
    this.#spare = plugins.isEmpty ? before?.kept : undefined;
    for (const settlement of settlements) settlement.resolve();
  }

  #named({ key, value }: StoreOperation): StoreOperation {
    return { key: this.#prefix + key, value };
  }
}

function isOfMain(operation: StoreOperation): operation is MainOperation {
  return (operation as Partial<MainOperation>).main !== undefined;
}

function childKey({ id }: Member): string {
  return childPrefix + encodeURIComponent(id);
}
