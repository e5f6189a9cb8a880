// Every public name of mainstem/websocket in Node, by hand.

export { WebSocketTransport } from './nodeTransport.ts';
export type { WebSocketTransportOptions } from './options.ts';
export type { ListenAddress, UpgradeRequest, WebSocketServerOptions } from './serverOptions.ts';
export { WebSocketServerTransport } from './serverTransport.ts';
