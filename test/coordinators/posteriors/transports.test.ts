import type { Transport } from 'mainstem';
import { InProcessTransport } from 'mainstem';
import type { VectorGaussian } from 'mainstem/bayesian';
import { DistributedPosteriorsCoordinator, exchangeMessages, PosteriorChild } from 'mainstem/bayesian';
import { WebSocketServerTransport, WebSocketTransport } from 'mainstem/websocket';
import { expect, test } from 'vitest';
import { distance, machinesOf, problem } from '../../models/bayesian/probitProblems.ts';
import { pairedTransport } from '../../transport/httpSupport.ts';

const ways: [string, () => Transport][] = [
  ['in one process', () => new InProcessTransport()],
  [
    'over WebSockets',
    () => {
      const server = new WebSocketServerTransport({ port: 0 });
      return {
        listen: (accept) => server.listen(accept),
        connect: () => new WebSocketTransport(server.url ?? '').connect(),
      };
    },
  ],
  ['over HTTP', () => pairedTransport()],
];

test.each(ways)('%s machines exchange messages until each believes what all rows say', async (_, create) => {
  const data = problem(8, 60, 3);
  const { posterior } = exchangeMessages(machinesOf(data, 1), {
    tolerance: 1e-12,
    maximumNumberOfRounds: 500,
  });
  const { mean } = posterior.weights as VectorGaussian;
  const transport = create();
  const machines = machinesOf(data, 3, true);
  const [first] = Object.values(machines);
  const coordinator = new DistributedPosteriorsCoordinator({ prior: first!.prior, tolerance: 1e-10 });
  await coordinator.listen(transport);
  const children = [];
  for (const [childId, model] of Object.entries(machines))
    children.push(await PosteriorChild.connect({ transport, childId, model }));
  await coordinator.converged();
  expect(distance(coordinator.posterior.weights!.mean, mean)).toBeLessThan(1e-8);
  for (const child of children) expect(distance(child.posterior.weights!.mean, mean)).toBeLessThan(1e-7);
  await Promise.all(children.map((child) => child.leave()));
  await coordinator.close();
});
