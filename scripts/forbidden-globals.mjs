// Globals that make a run depend on the wall clock, on luck or on the machine. Time and randomness are injected
// (clock.ts, random.ts), so that a whole federation runs at virtual time, from a seed.
import ts from 'typescript';

const MEMBERS = new Set(['Date.now', 'performance.now', 'Math.random']);
const NAMES = new Set(['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'MessageChannel']);
const GLOBAL_OBJECTS = new Set(['globalThis', 'window', 'self', 'global']);

const mayKeepTime = (file) => ['src/clock.ts', 'src/random.ts'].includes(file) || file.startsWith('src/cli/');
const mayReadEnvironment = (file) => file.startsWith('src/cli/');
// There it makes connections, and no turns of the event loop.
const mayMakeChannels = (file) => file === 'src/transport/worker/ports.ts';
// Threads are Node's own, and no import: bundlers for browsers follow those.
const mayAskForBuiltins = (file) => file === 'src/builtin.ts' || file.startsWith('src/cli/');

/** `a.b` and `a['b']` as [object, 'b']; undefined for anything else. */
function memberAccess(node) {
  if (ts.isPropertyAccessExpression(node)) return [node.expression, node.name.text];
  if (ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression)) {
    return [node.expression, node.argumentExpression.text];
  }
  return undefined;
}

/** The name of a global: `x` or `globalThis.x`. */
function globalName(node) {
  if (ts.isIdentifier(node)) return node.text;
  const access = memberAccess(node);
  if (access === undefined) return undefined;
  const [object, name] = access;
  return ts.isIdentifier(object) && GLOBAL_OBJECTS.has(object.text) ? name : undefined;
}

/** True where an identifier names a member or a key (`clock.setTimeout`, `{ setTimeout: f }`), not a value. */
function isOnlyAName(node) {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  if (ts.isShorthandPropertyAssignment(parent)) return false;
  return (
    (ts.isPropertyAssignment(parent) || ts.isClassElement(parent) || ts.isTypeElement(parent)) &&
    parent.name === node
  );
}

function timeProblem(node) {
  const access = memberAccess(node);
  if (access !== undefined) {
    const [object, name] = access;
    const member = `${globalName(object)}.${name}`;
    if (MEMBERS.has(member)) return member;
    if (NAMES.has(globalName(node))) return globalName(node);
  }
  if (ts.isIdentifier(node) && NAMES.has(node.text) && !isOnlyAName(node)) return node.text;
  const isDate =
    (ts.isNewExpression(node) || ts.isCallExpression(node)) && globalName(node.expression) === 'Date';
  return isDate && (node.arguments?.length ?? 0) === 0 ? 'new Date()' : undefined;
}

function readsEnvironment(node) {
  const access = memberAccess(node);
  return access !== undefined && access[1] === 'env' && globalName(access[0]) === 'process';
}

/** Every use in one source file: `[{ node, text }]`. Types (`typeof setTimeout`) are not uses. */
export function findForbiddenGlobals(source, file) {
  const found = [];
  const visit = (node) => {
    if (ts.isTypeNode(node)) return;
    const used = mayKeepTime(file) ? undefined : timeProblem(node);
    const isAllowed = used === 'MessageChannel' && mayMakeChannels(file);
    if (used !== undefined && !isAllowed)
      found.push({ node, text: `uses ${used}: only clock.ts and random.ts may` });
    if (!mayReadEnvironment(file) && readsEnvironment(node)) {
      found.push({ node, text: 'reads process.env: only src/cli may' });
    }
    if (!mayAskForBuiltins(file) && memberAccess(node)?.[1] === 'getBuiltinModule') {
      found.push({ node, text: 'uses getBuiltinModule: only src/builtin.ts may' });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}
