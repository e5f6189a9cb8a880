// Every public name of mainstem/http in browsers, by hand.

export type { HttpTransportOptions } from '../transport/http/clientOptions.ts';
export { HttpTransport } from '../transport/http/HttpTransport.ts';
