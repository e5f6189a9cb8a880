import type { TabState } from '../Tab.ts';

/** From the page to its worker. */
export type ToWorker =
  | { readonly type: 'start' }
  | { readonly type: 'guess'; readonly pixels: readonly number[] }
  | { readonly type: 'add'; readonly pixels: readonly number[]; readonly label: number }
  | { readonly type: 'leave' };

/** From the worker to its page. */
export type ToPage =
  | { readonly type: 'state'; readonly state: TabState; readonly reason: string | undefined }
  | { readonly type: 'shard'; readonly shard: number; readonly shards: number }
  | { readonly type: 'digits'; readonly count: number }
  | { readonly type: 'main'; readonly version: number }
  | { readonly type: 'sent'; readonly count: number }
  /** Undefined before there is a main. */
  | { readonly type: 'guess'; readonly probabilities: readonly number[] | undefined };
