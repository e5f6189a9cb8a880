// npm run example:browser -- [--port 8080] [--host 0.0.0.0]
import { parseArgs } from 'node:util';
import { buildPage } from './files.ts';
import { startServer } from './server.ts';

const { values } = parseArgs({
  options: { port: { type: 'string', default: '8080' }, host: { type: 'string', default: '127.0.0.1' } },
});
const server = await startServer({ files: await buildPage(), port: Number(values.port), host: values.host });
console.log(`Open ${server.url} in a few tabs. Ctrl-C ends it; tabs come back when it runs again.`);
process.once('SIGINT', () => void server.close(1_000));
