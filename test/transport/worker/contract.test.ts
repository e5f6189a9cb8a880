import { transportContract } from 'mainstem/testing';
import { describeContract } from '../../contracts/run.ts';
import { portTransport, turns } from './support.ts';

describeContract(
  'WorkerTransport and ParentTransport over a MessageChannel',
  transportContract({ create: () => portTransport(), settle: () => turns() }),
);
