import { EventEmitter } from 'eventemitter3';
import { toError } from './errors.ts';

/** Names of events and the one argument that their listeners get. */
type EventMap = object;
type Listener<Events extends EventMap, Name extends keyof Events> = (event: Events[Name]) => void;
type AnyListener = (event: unknown) => void;

/**
 * Typed events whose listeners cannot do harm: what a listener throws is caught and handed to `onFailure`, and the
 * listeners behind it are still called.
 */
export class GuardedEvents<Events extends EventMap> {
  readonly #emitter = new EventEmitter<string>();
  readonly #guards = new Map<string, Map<unknown, AnyListener>>();
  readonly #onFailure: (error: Error, event: string) => void;

  constructor(onFailure: (error: Error, event: string) => void) {
    this.#onFailure = onFailure;
  }

  /** Adds a listener; the function returned removes it. Adding it again changes nothing. */
  on<Name extends keyof Events & string>(name: Name, listener: Listener<Events, Name>): () => void {
    const guards = this.#guards.get(name) ?? new Map<unknown, AnyListener>();
    this.#guards.set(name, guards);
    if (!guards.has(listener)) {
      const guard: AnyListener = (event) => {
        try {
          const result: unknown = listener(event as Events[Name]);
          // A listener may be an async function in spite of its type.
          if (result instanceof Promise)
            result.catch((thrown: unknown) => this.#onFailure(toError(thrown), name));
        } catch (thrown) {
          this.#onFailure(toError(thrown), name);
        }
      };
      guards.set(listener, guard);
      this.#emitter.on(name, guard);
    }
    return () => this.off(name, listener);
  }

  /** Removes a listener. */
  off<Name extends keyof Events & string>(name: Name, listener: Listener<Events, Name>): void {
    const guard = this.#guards.get(name)?.get(listener);
    if (guard === undefined) return;
    this.#guards.get(name)?.delete(listener);
    this.#emitter.off(name, guard);
  }

  /** Calls the listeners, in the order in which they were added; false where there are none. */
  emit<Name extends keyof Events & string>(name: Name, event: Events[Name]): boolean {
    return this.#emitter.emit(name, event);
  }
}
