import type { Server } from 'node:http';
import type { Logger } from 'mainstem';
import { DistributedGradientsCoordinator, MainstemError, NormClipping } from 'mainstem';
import { WebSocketServerTransport } from 'mainstem/websocket';
import type { TokenBook } from './TokenBook.ts';

/** A coordinator that believes no child more than it must. */
export function createCoordinator(logger: Logger): DistributedGradientsCoordinator {
  const coordinator = new DistributedGradientsCoordinator({
    logger,
    learningRate: 0.1,
    limits: { childrenMax: 500, connectionsMax: 600, sampleCountMax: 10_000, updatesPerSecondMax: 5 },
  });
  coordinator.use(new NormClipping({ maximumNorm: 10 }));
  return coordinator;
}

/** Children of this game, under a path of its server. */
export function listenOn(
  coordinator: DistributedGradientsCoordinator,
  server: Server,
  book: TokenBook,
): Promise<{ close(): Promise<void> }> {
  const transport = new WebSocketServerTransport({
    server,
    path: '/mainstem',
    authenticate: book.authenticate,
    allowedOrigins: ['https://game.example'],
    connectionsMax: 600,
    connectionsPerAddressMax: 20,
    attemptsPerMinuteMax: 120,
  });
  return coordinator.listen(transport);
}

/** One line of JSON for each thing that happens: a child's name is whatever it says, line breaks included. */
export function logTo(coordinator: DistributedGradientsCoordinator, write: (line: string) => void): void {
  const log = (event: string, fields: object): void => write(JSON.stringify({ event, ...fields }));
  coordinator.on('childJoined', ({ childId }) => log('joined', { childId }));
  coordinator.on('childLeft', ({ childId }) => log('left', { childId }));
  coordinator.on('updateRejected', ({ childId, reason }) => log('rejected', { childId, code: reason.code }));
  coordinator.on('error', (error) => {
    log('error', { code: error instanceof MainstemError ? error.code : 'UNKNOWN', message: error.message });
  });
}
