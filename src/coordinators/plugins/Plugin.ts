import type { JsonValue } from '../../parameters/architecture.ts';
import type { Gradients } from '../../parameters/Gradients.ts';
import type { ModelParameters } from '../../parameters/ModelParameters.ts';
import type { CoordinatorEvents } from '../coordinatorEvents.ts';

/** An update on its way to main. */
export interface Update<T extends Gradients | ModelParameters = Gradients | ModelParameters> {
  readonly childId: string;
  readonly sequence: number | undefined;
  /** Gradients or parameters. A plugin that wants others returns a new update; it does not write into these. */
  readonly content: T;
}

/** A child that comes or goes. */
export interface ChildInfo {
  readonly childId: string;
}

/** A round that begins with the update at hand; where main moves at every update, each is a round of its own. */
export interface RoundInfo {
  /** Version of main that the round starts from; 0 before there is one. */
  readonly version: number;
}

/** What a merge is about to do. */
export interface MergeInfo {
  /** Version that main will have. */
  readonly version: number;
  /** Children whose updates go into it. */
  readonly children: number;
}

/** Main after a merge, before anybody sees it. `main` is live: what is written into it counts. */
export interface MergedInfo extends MergeInfo {
  readonly main: ModelParameters;
}

/** Main that is durable and about to go to the children. A copy. */
export interface PublicationInfo {
  readonly version: number;
  readonly main: ModelParameters;
}

/** What a plugin sees of its coordinator. */
export interface PluginHost {
  readonly version: number;
  readonly children: readonly string[];
  /** A copy of main. Throws NoMainParametersError where there is none. */
  getModelParameters(): ModelParameters;
  /** Calls the listener at every event of this name; the function returned removes it. */
  on<Name extends keyof CoordinatorEvents>(
    name: Name,
    listener: (event: CoordinatorEvents[Name]) => void,
  ): () => void;
}

/** How a plugin begins, ends, and is remembered. */
export interface PluginLifecycle {
  readonly name: string;
  /** When the plugin is added. */
  setup?(host: PluginHost): void;
  /**
   * The plugin's memory as plain JSON, stored in one batch with each new main. The same object as the last time says
   * that nothing has changed, and costs nothing. Its type is a `type`, not an `interface`, or TypeScript does not see that
   * it is JSON.
   */
  save?(): JsonValue;
  /** Takes over what `save` gave, when the coordinator restores. Throws, and then changes nothing, where it is damaged. */
  load?(state: JsonValue): void;
  /** When the plugin is removed or the coordinator closed. */
  dispose?(): void;
}

/** Hooks around membership. Updates that name no child join nobody. */
export interface MembershipHooks {
  /** Before a child is counted in; throws (UpdateRefusedError, say) to keep it out. */
  onJoin?(child: ChildInfo): void;
  /** After a child has left. */
  onLeave?(child: ChildInfo): void;
}

/** Hooks on the road of an update, in the order in which they are called. */
export interface RoadHooks {
  /** May return another update to use instead, or throw (UpdateRefusedError, say) to refuse it. */
  onUpdate?(update: Update): Update | undefined | void;
  /** Before the first update of a round is folded in; throws to refuse that update, and the round stays closed. */
  beforeRound?(info: RoundInfo): void;
  /** Before updates are combined into a new main; throws to refuse them. */
  beforeMerge?(info: MergeInfo): void;
  /** After that, before anybody sees it; may return other parameters to use instead, or throw to refuse the merge. */
  afterMerge?(info: MergedInfo): ModelParameters | undefined | void;
  /**
   * When a main is durable, before it goes to the children: false, or a throw, keeps this version back, and they stay
   * with the one before. The only hook that may return a promise: a canary that takes its time. While it does, newer
   * mains wait, and only the newest of them is looked at next.
   */
  beforePublish?(info: PublicationInfo): boolean | undefined | void | Promise<boolean | undefined | void>;
}

/**
 * The scripting surface of a coordinator. All hooks are optional, synchronous (but for `beforePublish`) and called in
 * the order in which the plugins were added. What a hook throws refuses the child, update or merge at hand, and
 * nothing else; the reason names the plugin.
 */
export interface Plugin extends PluginLifecycle, MembershipHooks, RoadHooks {}
