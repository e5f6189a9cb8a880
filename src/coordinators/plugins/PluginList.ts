import {
  InvalidDataError,
  InvalidOptionError,
  isMainstemError,
  MalformedDataError,
  PluginError,
  toError,
} from '../../errors.ts';
import type { JsonValue } from '../../parameters/architecture.ts';
import { Gradients } from '../../parameters/Gradients.ts';
import { ModelParameters } from '../../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../../parameters/ParameterLayout.ts';
import type { DataType } from '../../parameters/values.ts';
import { isPromiseLike } from '../../promises.ts';
import { show } from '../../show.ts';
import type { StoreOperation } from '../../storage/Store.ts';
import type { ReadRecord } from '../Ledger.ts';
import { decodeState, encodeState } from '../persistence.ts';
import type { MergeInfo, Plugin, PluginHost, PublicationInfo, RoundInfo, Update } from './Plugin.ts';

const hooks: readonly string[] = [
  'setup',
  'save',
  'load',
  'dispose',
  'onJoin',
  'onLeave',
  'onUpdate',
  'beforeRound',
  'beforeMerge',
  'afterMerge',
  'beforePublish',
] satisfies (keyof Plugin)[];

/** A plugin with what is known of its stored memory. */
interface Entry {
  readonly plugin: Plugin;
  /** What `save` returned the last time. */
  saved: JsonValue | undefined;
  /** A hook may remove it while its list is gone through. */
  isRemoved: boolean;
}

const none: readonly Plugin[] = [];

function* withoutRemoved(entries: readonly Entry[]): Generator<Plugin> {
  for (const entry of entries) if (!entry.isRemoved) yield entry.plugin;
}

/** The plugins of one coordinator, in the order in which they were added. */
export class PluginList {
  #entries: readonly Entry[] = [];
  readonly #report: (error: Error) => void;

  /** `report` hears of failures that refuse nothing: of `onLeave`, `save`, `dispose` and `beforePublish`. */
  constructor(report: (error: Error) => void) {
    this.#report = report;
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** One after the other, without those that a hook has removed meanwhile. */
  #present(): Iterable<Plugin> {
    return this.isEmpty ? none : withoutRemoved(this.#entries);
  }

  add(plugin: Plugin, host: PluginHost): void {
    if (typeof plugin !== 'object' || typeof plugin?.name !== 'string' || plugin.name === '')
      throw new InvalidOptionError(`a plugin is ${show(plugin)}, expected an object; it needs a name`);
    if (this.#entries.some((entry) => entry.plugin.name === plugin.name)) {
      throw new InvalidOptionError(`there is a plugin named ${plugin.name} already`);
    }
    checkHooks(plugin);
    blame(plugin, 'setup', () => plugin.setup?.(host));
    this.#entries = [...this.#entries, { plugin, saved: undefined, isRemoved: false }];
  }

  /** False where there is none of this name. */
  remove(name: string): boolean {
    const entry = this.#entries.find(({ plugin }) => plugin.name === name);
    if (entry === undefined) return false;
    entry.isRemoved = true;
    this.#entries = this.#entries.filter((other) => other !== entry);
    this.#attempt(entry.plugin, 'dispose', () => entry.plugin.dispose?.());
    return true;
  }

  /** Asks all whether a child may join. Where one says no, those asked before it hear that the child has left. */
  onJoin(childId: string): void {
    const asked: Plugin[] = [];
    try {
      for (const plugin of this.#present()) {
        blame(plugin, 'onJoin', () => plugin.onJoin?.({ childId }));
        asked.push(plugin);
      }
    } catch (thrown) {
      for (const plugin of asked.reverse())
        this.#attempt(plugin, 'onLeave', () => plugin.onLeave?.({ childId }));
      throw thrown;
    }
  }

  onLeave(childId: string): void {
    for (const plugin of this.#present())
      this.#attempt(plugin, 'onLeave', () => plugin.onLeave?.({ childId }));
  }

  onUpdate(update: Update): Update {
    let current = update;
    for (const plugin of this.#present())
      current = blame(plugin, 'onUpdate', () => requireUpdate(plugin.onUpdate?.(current))) ?? current;
    return current;
  }

  beforeRound(info: RoundInfo): void {
    for (const plugin of this.#present()) blame(plugin, 'beforeRound', () => plugin.beforeRound?.(info));
  }

  beforeMerge(info: MergeInfo): void {
    for (const plugin of this.#present()) blame(plugin, 'beforeMerge', () => plugin.beforeMerge?.(info));
  }

  /** Shows merged values to `afterMerge` and takes its changes over, checked like an update. */
  reviseMain(
    merged: Float64Array<ArrayBuffer>,
    layout: ParameterLayout,
    dtype: DataType,
    info: MergeInfo,
  ): void {
    // Making parameters of them costs a copy.
    if (!this.#entries.some(({ plugin }) => plugin.afterMerge !== undefined)) return;
    let main = new ModelParameters(layout, merged.slice(), { baseVersion: info.version });
    for (const plugin of this.#present()) {
      main = blame(plugin, 'afterMerge', () => plugin.afterMerge?.({ ...info, main })) ?? main;
    }
    layout.assertFits(main.layout, 'main of a plugin', 'main');
    main.toDataType(dtype).assertFinite('main of a plugin');
    merged.set(main.values);
  }

  /** Whether anybody judges mains before they are published. */
  get areJudging(): boolean {
    return this.#entries.some(({ plugin }) => plugin.beforePublish !== undefined);
  }

  /** Asks `beforePublish` of each in turn; false from one is enough. A promise only where a plugin takes its time. */
  approve(info: PublicationInfo): boolean | Promise<boolean> {
    return this.#approveFrom(0, this.#entries, info);
  }

  #approveFrom(first: number, entries: readonly Entry[], info: PublicationInfo): boolean | Promise<boolean> {
    for (let index = first; index < entries.length; index++) {
      const { plugin, isRemoved } = entries[index] as Entry;
      if (isRemoved) continue;
      const named = (thrown: unknown): never => {
        throw nameError(plugin, 'beforePublish', thrown);
      };
      let verdict: ReturnType<NonNullable<Plugin['beforePublish']>>;
      try {
        verdict = plugin.beforePublish?.(info);
      } catch (thrown) {
        return named(thrown);
      }
      if (isPromiseLike(verdict)) {
        return Promise.resolve(verdict).then(
          (late) => (late === false ? false : this.#approveFrom(index + 1, entries, info)),
          named,
        );
      }
      if (verdict === false) return false;
    }
    return true;
  }

  /** The records of the memories that have changed. A `save` that fails is reported; the record before it stays. */
  save(): StoreOperation[] {
    return this.#entries.flatMap((entry) => {
      const { plugin } = entry;
      if (plugin.save === undefined || entry.isRemoved) return [];
      try {
        const state = blame(plugin, 'save', () => plugin.save?.() ?? null);
        if (state === entry.saved) return [];
        if (entry.isRemoved) return [];
        const operation = { key: pluginKey(plugin.name), value: encodeState(state) };
        entry.saved = state;
        return [operation];
      } catch (thrown) {
        this.#report(nameError(plugin, 'save', thrown));
        return [];
      }
    });
  }

  /** Reads the stored memories; the function returned hands them over. Throws MalformedDataError for damaged ones. */
  async load(read: ReadRecord): Promise<() => void> {
    const found: { plugin: Plugin; state: JsonValue }[] = [];
    for (const plugin of this.#present()) {
      if (plugin.load === undefined) continue;
      const stored = await read(pluginKey(plugin.name));
      if (stored === undefined) continue;
      try {
        found.push({ plugin, state: decodeState(stored) });
      } catch (cause) {
        throw new MalformedDataError(`the stored memory of plugin ${plugin.name} is damaged`, { cause });
      }
    }
    return () => {
      for (const { plugin, state } of found) blame(plugin, 'load', () => plugin.load?.(state));
    };
  }

  dispose(): void {
    for (const plugin of this.#present()) this.remove(plugin.name);
  }

  /** For hooks that cannot refuse anything any more: what they throw is reported. */
  #attempt(plugin: Plugin, hook: string, call: () => void): void {
    try {
      blame(plugin, hook, call);
    } catch (thrown) {
      this.#report(toError(thrown));
    }
  }
}

/** Throws InvalidOptionError for a hook that is no function, and for a name that looks like one and is none. */
function checkHooks(plugin: Plugin): void {
  const own = plugin as unknown as { readonly [name: string]: unknown };
  const wrong = hooks.find((hook) => own[hook] !== undefined && typeof own[hook] !== 'function');
  if (wrong !== undefined) {
    throw new InvalidOptionError(
      `${wrong} of plugin ${plugin.name} is ${show(own[wrong])}, expected a function`,
    );
  }
  for (const name of Object.keys(plugin)) {
    const meant = hooks.find((hook) => hook !== name && hook.toLowerCase() === name.toLowerCase());
    if (meant !== undefined)
      throw new InvalidOptionError(`plugin ${plugin.name} has ${name}; the hook is named ${meant}`);
    if (/^(on|before|after)[A-Z]/.test(name) && !hooks.includes(name)) {
      throw new InvalidOptionError(`plugin ${plugin.name} has ${name}; hooks are ${hooks.join(', ')}`);
    }
  }
}

/** What an `onUpdate` hook returned. Throws where it is no update. */
function requireUpdate(update: Update | undefined | void): Update | undefined {
  if (update === undefined || update === null || isPromiseLike(update)) return update as undefined;
  const { content } = update as Partial<Update>;
  if (Gradients.isGradients(content) || ModelParameters.isModelParameters(content)) return update;
  throw new InvalidDataError(`it returned ${show(update)}, expected { ...update, content }`);
}

/** Key of a plugin's record. */
export function pluginKey(name: string): string {
  return `plugin/${encodeURIComponent(name)}`;
}

/** Names the plugin and the hook in whatever it throws, and refuses promises. */
function blame<T>(plugin: Plugin, hook: string, call: () => T): T {
  let result: T;
  try {
    result = call();
  } catch (thrown) {
    throw nameError(plugin, hook, thrown);
  }
  if (!isPromiseLike(result)) return result;
  // Its failure would end the process, and nobody waits for it.
  Promise.resolve(result).catch(() => {});
  throw new PluginError(
    plugin.name,
    hook,
    `${hook} of plugin ${plugin.name} returned a promise; hooks are synchronous`,
  );
}

/** A refusal is said on purpose, in the plugin's own words; anything else is a failure of the plugin. */
function nameError(plugin: Plugin, hook: string, thrown: unknown): Error {
  if (isMainstemError(thrown) && thrown.code === 'UPDATE_REFUSED') return thrown;
  if (thrown instanceof PluginError) return thrown;
  return new PluginError(
    plugin.name,
    hook,
    `${hook} of plugin ${plugin.name} failed: ${toError(thrown).message}`,
    thrown,
  );
}
