import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DistributedGradientsCoordinator, ModelParameters } from 'mainstem';
import { HttpServerTransport } from 'mainstem/http';
import { afterEach, expect, test } from 'vitest';
import { type Answer, ask, type CleanUps, urlOf } from '../transport/httpSupport.ts';

const cleanUps: CleanUps = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const docs = readFileSync(fileURLToPath(new URL('../../docs/http.md', import.meta.url)), 'utf8');
const blocks = (language: string): string[] =>
  [...docs.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].map(([, text]) => text as string);

/** Does what a line with curl does, to another server and for another connection. */
function run(command: string, url: string, connection: string): Promise<Answer> {
  const place = /'http:\/\/127\.0\.0\.1:7070\/mainstem([^']*)'/.exec(command)?.[1] ?? '';
  const headers = Object.fromEntries(
    [...command.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, name, value]) => [
      name as string,
      value as string,
    ]),
  );
  const body = /-d '([^']*)'/.exec(command)?.[1];
  const method = /-X (\w+)/.exec(command)?.[1] ?? 'GET';
  const own = place.replace(/^\/[\w-]{24}\//, `/${connection}/`);
  return ask(url + own, { method, headers, ...(body === undefined ? {} : { body }) });
}

test('the requests of docs/http.md have the answers that it shows', async () => {
  const coordinator = new DistributedGradientsCoordinator();
  for (let version = 1; version <= 4; version++)
    coordinator.setModelParameters(ModelParameters.fromArrays({ weights: [[0.5], [-1.25]], bias: [0.1] }));
  const server = new HttpServerTransport({ port: 0, tokens: 'our secret' });
  await coordinator.listen(server);
  cleanUps.push(() => coordinator.close());
  const [connect, push, pull] = blocks('sh') as [string, string, string];
  const [connected, pushed] = blocks('json').map((text) => JSON.parse(text.replaceAll(', …', ''))) as [
    object & { connection: string; messages: object[] },
    object & { messages: object[] },
  ];
  const first = (await run(connect, urlOf(server), '')).json;
  const shown = { ...connected, connection: first.connection };
  const welcome = { ...connected.messages[0], instance: expect.any(String) };
  expect(first).toMatchObject({ ...shown, messages: [welcome, connected.messages[1]] });
  const second = (await run(push, urlOf(server), first.connection)).json;
  const inOrder = (messages: readonly object[]): string[] =>
    messages.map((one) => JSON.stringify(one)).sort();
  expect({ ...second, messages: inOrder(second.messages) }).toEqual({
    ...pushed,
    messages: inOrder(pushed.messages),
  });
  coordinator.setModelParameters(coordinator.getModelParameters());
  const third = (await run(pull, urlOf(server), first.connection)).json;
  expect(third.messages).toMatchObject([{ type: 'main', version: 6 }]);
  const authorization = 'Bearer our secret';
  await ask(`${urlOf(server)}/${first.connection}`, { method: 'DELETE', headers: { authorization } });
});
