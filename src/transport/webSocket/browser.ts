// Every public name of mainstem/websocket in browsers, by hand.

export { WebSocketTransport } from './browserTransport.ts';
export type { WebSocketTransportOptions } from './options.ts';
