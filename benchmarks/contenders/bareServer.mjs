// A bare server of `ws` in a process of its own, beside coordinatorProcess.mjs: drops what is binary, parses what is text.
import { WebSocketServer } from 'ws';

const answers = {
  async listen() {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
    server.on('connection', (socket) => {
      socket.on('message', (data, isBinary) => {
        if (isBinary) return;
        const text = String(data);
        if (text === 'done') socket.send('done');
        else Float32Array.from(JSON.parse(text));
      });
    });
    await new Promise((resolve) => server.once('listening', resolve));
    return `ws://127.0.0.1:${server.address().port}/`;
  },
};

process.on('message', async ({ name, task }) => process.send({ answer: await answers[name](task) }));

process.on('disconnect', () => process.exit());
