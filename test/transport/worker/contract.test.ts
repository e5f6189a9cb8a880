import { transportContract } from 'mainstem/testing';
import { describeContract } from '../../contracts/run.ts';
import { ProxiedTransport } from './proxied.ts';
import { portTransport, turns } from './support.ts';

describeContract(
  'WorkerTransport and ParentTransport over a MessageChannel',
  transportContract({ create: () => portTransport(), settle: () => turns() }),
);

let proxied: ProxiedTransport;
describeContract(
  'WorkerTransport and ParentTransport in a worker thread',
  transportContract({
    create: () => {
      proxied = new ProxiedTransport();
      return proxied;
    },
    settle: () => proxied.settle(),
  }),
);
