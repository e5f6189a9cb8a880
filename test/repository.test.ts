import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
);
const read = (name: string): string => readFileSync(join(root, 'src', name), 'utf8');

test('rooms import each other one way, and time and chance come from clock.ts and random.ts alone', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/check-imports.mjs'], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(stderr + stdout).toMatch(/keep to their rooms/);
  expect(status).toBe(0);
});

test('files stay below 400 lines, functions below 70', () => {
  const tooLong: string[] = [];
  for (const name of sources) {
    const text = read(name);
    const source = ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true);
    const lineOf = (position: number): number => source.getLineAndCharacterOfPosition(position).line;
    if (lineOf(source.end) > 400) tooLong.push(`${name}: ${lineOf(source.end)} lines`);
    const visit = (node: ts.Node): void => {
      if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
        const lines = lineOf(node.end) - lineOf(node.getStart()) + 1;
        if (lines > 70) tooLong.push(`${name}:${lineOf(node.getStart()) + 1}: a function of ${lines} lines`);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  expect(tooLong).toEqual([]);
});

test('interfaces that users implement have at most six members', () => {
  const contracts: [string, string][] = Object.entries({
    'models/Model.ts': 'Model',
    'optimizers/Optimizer.ts': 'Optimizer',
    'mergers/Merger.ts': 'Merger',
    'storage/Store.ts': 'Store',
    'transport/Transport.ts': 'Connection',
    'coordinators/plugins/Plugin.ts': 'PluginLifecycle MembershipHooks RoadHooks',
    'clock.ts': 'Clock',
    'optimizers/LearningRateSchedule.ts': 'LearningRateSchedule',
    'models/activations.ts': 'Activation',
  }).flatMap(([file, names]) => names.split(' ').map((name): [string, string] => [file, name]));
  for (const [file, name] of contracts) {
    const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.ES2022, true);
    const found = source.statements.find(
      (node) => ts.isInterfaceDeclaration(node) && node.name.text === name,
    );
    expect(found, `${name} in ${file}`).toBeDefined();
    expect((found as ts.InterfaceDeclaration).members.length, name).toBeLessThanOrEqual(6);
  }
});
