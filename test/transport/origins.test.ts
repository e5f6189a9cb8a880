import { describe, expect, test } from 'vitest';
import { isOriginAllowed } from '../../src/transport/origins.ts';

const host = 'game.example:7070';

describe('which pages may connect', () => {
  test.each([
    ['of the host that was asked', 'https://game.example:7070', true],
    ['of another port of that host', 'https://game.example', false],
    ['of this machine', 'http://localhost:8080', true],
    ['of this machine, by number', 'http://127.0.0.1:8080', true],
    ['of this machine, by IPv6', 'http://[::1]:8080', true],
    ['of a development server', 'http://game.localhost:8080', true],
    ['of a name that begins like it', 'http://localhost.evil.example', false],
    ['of a name that ends like it', 'http://evillocalhost', false],
    ['of elsewhere', 'https://evil.example', false],
    ['without an origin of its own', 'null', false],
    ['that is no origin', 'game.example:7070', false],
  ])('where nothing is to be proved, a page %s', (_name, origin, expected) => {
    expect(isOriginAllowed(origin, host, { server: {} })).toBe(expected);
    expect(isOriginAllowed(origin, undefined, { tokens: 'secret' })).toBe(true);
    expect(isOriginAllowed(origin, undefined, { authenticate: () => true })).toBe(true);
  });

  test('a port of its own has no pages: one of its very name is from elsewhere', () => {
    expect(isOriginAllowed('http://evil.example:7070', 'evil.example:7070', {})).toBe(false);
    expect(isOriginAllowed('http://127.0.0.1:7070', '127.0.0.1:7070', {})).toBe(true);
  });

  test('a list is all there is, whatever else there is to prove', () => {
    const allowedOrigins = ['https://game.example'];
    expect(isOriginAllowed('https://game.example', host, { allowedOrigins })).toBe(true);
    for (const origin of ['http://localhost', 'https://game.example:7070', 'null'])
      expect(isOriginAllowed(origin, host, { allowedOrigins, tokens: 'secret' })).toBe(false);
    expect(isOriginAllowed('https://any.example', host, { allowedOrigins: ['*'] })).toBe(true);
    expect(isOriginAllowed('http://localhost', host, { allowedOrigins: [] })).toBe(false);
  });
});
