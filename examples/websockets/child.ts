// One child in a process of its own: `child.ts <url> <shard> <shards>`. It trains until the coordinator is closed.
import { Child, type NeuralNetwork } from 'mainstem';
import { WebSocketTransport } from 'mainstem/websocket';
import { createModel, shardOf } from './digits.ts';

const [url = '', shard = '0', shards = '1'] = process.argv.slice(2);
const { features, labels } = shardOf(Number(shard), Number(shards));
const model: NeuralNetwork = createModel();
const child = await Child.connect({
  transport: new WebSocketTransport({ url, token: 'an open secret' }),
  model,
  childId: `shard-${shard}`,
});
let isOver = false;
child.on('closed', () => {
  isOver = true;
});
while (!isOver) {
  try {
    await child.train(features, labels, { maximumNumberOfIterations: 2 });
  } catch (error) {
    // What was on its way when the coordinator closed has no answer.
    if (!isOver) throw error;
  }
}
