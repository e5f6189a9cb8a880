// Every public name of mainstem/http in Node, by hand.

export type { HttpTransportOptions } from '../transport/http/clientOptions.ts';
export { HttpTransport } from '../transport/http/HttpTransport.ts';
export type { ConnectRequest, HttpServerOptions } from '../transport/http/serverOptions.ts';
export { HttpServerTransport } from './HttpServerTransport.ts';
