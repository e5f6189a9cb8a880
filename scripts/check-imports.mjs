// The rooms of src and what each may import, and the few globals that only one file may touch.
// It reads syntax trees, so comments and strings do not count. Cycles between files: `npm run cycles`.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { findForbiddenGlobals } from './forbidden-globals.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

// 'root' is every file directly in src, but for the barrel: errors, clock, random, limits.
const PARAMETERS = ['root', 'parameters'];
const KERNELS = [...PARAMETERS, 'kernels'];
const TOOLS = [
  'models',
  'preprocessing',
  'evaluation',
  'optimizers',
  'mergers',
  'compression',
  'formulas',
  'files',
];
const LEARNING = [...KERNELS, ...TOOLS];
const PROTOCOL = [...PARAMETERS, 'transport', 'protocol'];
const FEDERATION = [...LEARNING, 'transport', 'storage', 'protocol', 'coordinators', 'children'];
const EDGES = [...FEDERATION, 'game', 'replay', 'dashboard'];

/** room → the rooms that it may import, itself included. */
const ALLOWED = new Map([
  ['root', ['root']],
  ['parameters', PARAMETERS],
  ['kernels', KERNELS],
  ...TOOLS.map((room) => [room, LEARNING]),
  // They move and keep bytes, and never know a model.
  ['transport', ['root', 'transport']],
  ['storage', ['root', 'storage']],
  ['protocol', PROTOCOL],
  // What speaks JSON to children over HTTP knows the messages, and no model.
  ['http', [...PROTOCOL, 'http']],
  ['coordinators', FEDERATION],
  ['children', FEDERATION],
  // It trains models, and is their own way to more than one core.
  ['threads', [...LEARNING, 'threads']],
  ['game', EDGES],
  // Its names alone: models and families are in models/bayesian, the two ends of the road where all of them are.
  ['bayesian', [...FEDERATION, 'bayesian']],
  ['replay', [...FEDERATION, 'replay']],
  ['dashboard', EDGES],
  ['testing', [...EDGES, 'testing']],
  ['cli', [...EDGES, 'testing', 'cli']],
]);

function roomOf(file) {
  const parts = file.split('/');
  return parts.length === 2 ? 'root' : parts[1];
}

const isBarrel = (file) => posix.basename(file) === 'index.ts';
const isBuiltin = (name) => name.startsWith('node:') || builtinModules.includes(name.split('/')[0]);

/** Every specifier that a file imports, re-exports or loads lazily, in code or in a type. */
function importsOf(source) {
  const found = [];
  const add = (node, literal, typeOnly) => {
    if (literal !== undefined && ts.isStringLiteralLike(literal))
      found.push({ node, name: literal.text, typeOnly });
  };
  const visit = (node) => {
    if (ts.isImportDeclaration(node)) {
      add(node, node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    } else if (ts.isExportDeclaration(node)) {
      add(node, node.moduleSpecifier, node.isTypeOnly);
    } else if (ts.isImportTypeNode(node)) {
      add(node, node.argument.literal, true);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node, node.arguments[0], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Why `file` may not import `name`, or undefined. */
function importProblem(file, name, typeOnly) {
  const room = roomOf(file);
  const barrel = isBarrel(file);
  if (/^mainstem($|\/)/.test(name)) {
    return room === 'cli' ? undefined : `imports ${name}: only src/cli uses the package's own name`;
  }
  if (!name.startsWith('.')) {
    if (/^mathjs($|\/)/.test(name) && file !== 'src/formulas/mathjs.ts') {
      return `imports ${name}: it is bundled where it is imported, only src/formulas/mathjs.ts may`;
    }
    // Servers are Node's own; browsers get another entry, which imports none of these files.
    const isForNode =
      /^src\/(transport\/webSocket\/(index|node\w+|server\w+|tokens)|transport\/http\/server\w+)\.ts$/.test(
        file,
      );
    if (room === 'cli' || isForNode || (!isBuiltin(name) && name !== 'ws')) return undefined;
    return `imports ${name}: the library runs in browsers, only src/cli may use Node's modules`;
  }
  const target = posix.join(posix.dirname(file), name);
  const targetRoom = roomOf(target);
  if (!target.startsWith('src/')) return `imports ${name}, which is outside src`;
  if (isBarrel(target) && !barrel) return `imports the barrel ${target}: import the file that defines it`;
  // The root barrel lists the public names of every room but those that have a subpath of their own.
  if (file === 'src/index.ts') {
    return ['cli', 'files', 'formulas', 'http', 'testing', 'threads'].includes(targetRoom)
      ? `the core entry imports room ${targetRoom}`
      : undefined;
  }
  if (!ALLOWED.get(room)?.includes(targetRoom))
    return `room ${room} may not import room ${targetRoom} (${target})`;
  if (room === 'cli' && targetRoom !== 'cli' && !typeOnly) {
    return `imports ${target}: src/cli imports 'mainstem', or the library would be bundled into it twice`;
  }
  return undefined;
}

/** Rooms that import each other, in a circle: one of the two directions is wrong. */
function roomCycle(edges) {
  const done = new Set();
  const walk = (room, path) => {
    if (path.includes(room)) return [...path.slice(path.indexOf(room)), room];
    if (done.has(room)) return undefined;
    for (const next of edges.get(room)?.keys() ?? []) {
      const cycle = walk(next, [...path, room]);
      if (cycle !== undefined) return cycle;
    }
    done.add(room);
    return undefined;
  };
  for (const room of edges.keys()) {
    const cycle = walk(room, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

const problems = [];
const edges = new Map();
const files = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
  .map((name) => `src/${name.replaceAll('\\', '/')}`)
  .filter((name) => /\.[cm]?tsx?$/.test(name))
  .sort();

for (const file of files) {
  const room = roomOf(file);
  const source = ts.createSourceFile(file, readFileSync(root + file, 'utf8'), ts.ScriptTarget.Latest, true);
  const report = (node, text) => {
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
    problems.push(`${file}:${line} ${text}`);
  };
  if (!ALLOWED.has(room))
    report(source, `room ${room} is unknown: say in scripts/check-imports.mjs what it may import`);
  for (const { node, name, typeOnly } of importsOf(source)) {
    const problem = importProblem(file, name, typeOnly);
    if (problem !== undefined) report(node, problem);
    else if (name.startsWith('.') && !isBarrel(file)) {
      const target = posix.join(posix.dirname(file), name);
      if (!existsSync(root + target)) report(node, `imports ${name}, which does not exist`);
      const targetRoom = roomOf(target);
      if (targetRoom !== room) {
        if (!edges.has(room)) edges.set(room, new Map());
        edges.get(room).set(targetRoom, `${file} imports ${target}`);
      }
    }
  }
  for (const { node, text } of findForbiddenGlobals(source, file)) report(node, text);
}

const cycle = roomCycle(edges);
if (cycle !== undefined) {
  const steps = cycle.slice(1).map((room, index) => `  ${edges.get(cycle[index]).get(room)}`);
  problems.push(`rooms import each other: ${cycle.join(' -> ')}\n${steps.join('\n')}`);
}

if (problems.length > 0) {
  console.error(problems.join('\n'));
  console.error(`check-imports: ${problems.length} problems`);
  process.exit(1);
}
console.log(`imports: ${files.length} files keep to their rooms`);
