import type { Transport } from 'mainstem';
import { HttpServerTransport, HttpTransport } from 'mainstem/http';
import { transportContract } from 'mainstem/testing';
import { afterEach } from 'vitest';
import { describeContract } from '../contracts/run.ts';
import { type CleanUps, gameServer, pairedTransport } from './httpSupport.ts';
import { turns } from './webSocketSupport.ts';

const cleanUps: CleanUps = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

describeContract(
  'HttpTransport, own port',
  transportContract({ create: () => pairedTransport(), settle: () => turns(600) }),
);
describeContract(
  'HttpTransport on a server that is there',
  transportContract({ create: () => attachedTransport(), settle: () => turns(600) }),
);

/** On an HTTP server of somebody else's. */
async function attachedTransport(): Promise<Transport> {
  const { server, origin } = await gameServer(cleanUps);
  const own = new HttpServerTransport({ server });
  return {
    listen: (accept) => own.listen(accept),
    connect: () => new HttpTransport(`${origin}/mainstem`).connect(),
  };
}
