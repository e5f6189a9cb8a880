import { InvalidOptionError, isMainstemError, MainstemError, PluginError } from '../errors.ts';
import type { Gradients } from '../parameters/Gradients.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';

/** An update on its way to main. */
export interface Update<T extends Gradients | ModelParameters = Gradients | ModelParameters> {
  readonly childId: string;
  readonly sequence: number | undefined;
  /** Gradients or parameters. A plugin that wants others returns a new update; it does not write into these. */
  readonly content: T;
}

/** What a merge is about to do. */
export interface MergeInfo {
  /** Version that main will have. */
  readonly version: number;
  /** Children whose updates go into it. */
  readonly children: number;
}

/** Main after a merge, before anybody sees it. */
export interface MergedInfo extends MergeInfo {
  readonly main: ModelParameters;
}

/** What a plugin sees of its coordinator. */
export interface PluginHost {
  readonly version: number;
  readonly children: readonly string[];
}

/**
 * The scripting surface of a coordinator. Hooks are synchronous and called in the order in which the plugins were
 * added. What a hook throws refuses the update or the merge at hand, and nothing else.
 */
export interface Plugin {
  readonly name: string;
  /** When the plugin is added. */
  setup?(host: PluginHost): void;
  /** May return another update to use instead, or throw (UpdateRefusedError, say) to refuse it. */
  onUpdate?(update: Update): Update | undefined | void;
  /** Before updates are combined into a new main. */
  beforeMerge?(info: MergeInfo): void;
  /** After that, before anybody sees it; may return other parameters to use instead. */
  afterMerge?(info: MergedInfo): ModelParameters | undefined | void;
  /** When the plugin is removed or the coordinator closed. */
  dispose?(): void;
}

/** The plugins of one coordinator. */
export class PluginList {
  readonly #plugins: Plugin[] = [];

  add(plugin: Plugin, host: PluginHost): void {
    if (typeof plugin?.name !== 'string' || plugin.name === '')
      throw new InvalidOptionError('a plugin needs a name');
    if (this.#plugins.some(({ name }) => name === plugin.name)) {
      throw new InvalidOptionError(`there is a plugin named ${plugin.name} already`);
    }
    blame(plugin, 'setup', () => plugin.setup?.(host));
    this.#plugins.push(plugin);
  }

  /** False where there is none of this name. */
  remove(name: string): boolean {
    const index = this.#plugins.findIndex((plugin) => plugin.name === name);
    if (index < 0) return false;
    const [plugin] = this.#plugins.splice(index, 1);
    if (plugin !== undefined) blame(plugin, 'dispose', () => plugin.dispose?.());
    return true;
  }

  onUpdate(update: Update): Update {
    let current = update;
    for (const plugin of this.#plugins)
      current = blame(plugin, 'onUpdate', () => plugin.onUpdate?.(current)) ?? current;
    return current;
  }

  beforeMerge(info: MergeInfo): void {
    for (const plugin of this.#plugins) blame(plugin, 'beforeMerge', () => plugin.beforeMerge?.(info));
  }

  afterMerge(info: MergedInfo): ModelParameters {
    let { main } = info;
    for (const plugin of this.#plugins)
      main = blame(plugin, 'afterMerge', () => plugin.afterMerge?.({ ...info, main })) ?? main;
    return main;
  }

  /** Whether any plugin looks at merged parameters: making them costs a copy. */
  get watchMerges(): boolean {
    return this.#plugins.some(({ afterMerge }) => afterMerge !== undefined);
  }

  dispose(): void {
    for (const { name } of [...this.#plugins]) this.remove(name);
  }
}

/** Names the plugin in whatever one of its hooks throws; errors of mainstem's own kinds pass as they are. */
function blame<T>(plugin: Plugin, hook: string, call: () => T): T {
  try {
    return call();
  } catch (thrown) {
    if (isMainstemError(thrown) && thrown instanceof MainstemError) throw thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new PluginError(`${hook} of plugin ${plugin.name} failed: ${message}`, thrown);
  }
}
