// A coordinator in a process of its own, as a user would run it: plain JavaScript over the built package, so that its
// memory is its own and no compiler's. Answers one question at a time over IPC.
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import {
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  Gradients,
  ModelParameters,
  ParameterLayout,
} from 'mainstem';
import { WebSocketServerTransport } from 'mainstem/websocket';

const delay = monitorEventLoopDelay({ resolution: 1 });
let coordinator;
let layout;
let timer;
let errors = 0;
const connections = new Set();

const answers = {
  /** Begins to listen, and says where. */
  async listen({ kind, values, childUpdatesPerMerge }) {
    delay.enable();
    layout = new ParameterLayout([{ name: 'weights', shape: [values] }]);
    const start = new ModelParameters(layout, new Float32Array(values));
    if (kind === 'gradients') {
      coordinator = new DistributedGradientsCoordinator();
      coordinator.setModelParameters(start);
    } else {
      coordinator = new DistributedModelParametersCoordinator({ childUpdatesPerMerge });
      coordinator.setMainModelParameters(start);
    }
    coordinator.on('error', (error) => {
      errors++;
      if (errors <= 3) console.error(`the coordinator reports: ${error.message}`);
    });
    // All children of this benchmark come from one address.
    const perAddress = { connectionsPerAddressMax: 16_384, attemptsPerMinuteMax: 100_000 };
    const transport = new WebSocketServerTransport({ port: 0, ...perAddress });
    await coordinator.listen({
      listen: (accept) =>
        transport.listen((connection) => {
          connections.add(connection);
          accept(connection);
        }),
    });
    return transport.url;
  },

  /** Changes main so often a second; 0: no more. */
  change({ perSecond }) {
    clearInterval(timer);
    if (perSecond === 0) return;
    const gradients = new Gradients(layout, new Float32Array(layout.length).fill(1e-6), { sampleCount: 1 });
    timer = setInterval(() => coordinator.addGradients(gradients), 1000 / perSecond);
  },

  /** What the process needs and has, and how long its loop was held up at most since it was asked last. */
  state() {
    const { user, system } = process.cpuUsage();
    const heldUpMs = delay.max / 1e6;
    delay.reset();
    let waitingBytes = 0;
    for (const { bufferedBytes } of connections) waitingBytes += bufferedBytes;
    return {
      rssBytes: process.memoryUsage().rss,
      peakBytes: 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]),
      cpuMs: (user + system) / 1000,
      heldUpMs,
      waitingBytes,
      children: coordinator?.children.length ?? 0,
      version: coordinator?.version ?? 0,
      errors,
    };
  },

  async close() {
    clearInterval(timer);
    await coordinator.close();
  },
};

process.on('message', async ({ name, task }) => process.send({ answer: await answers[name](task) }));

process.on('disconnect', () => process.exit());
