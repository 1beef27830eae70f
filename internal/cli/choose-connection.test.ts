import { describe, expect, test } from '@jest/globals';
import { Secret } from '../secrets/secret.ts';
import { chooseConnection } from './choose-connection.ts';
import { CliError } from './cli-error.ts';

const HOME = 'https://berth.example.org';
const stored = { url: HOME, token: new Secret('stored') };
const environment = (url: string | null, token: string | null) => ({
  url,
  token: token === null ? null : new Secret(token),
});

describe('the connection', () => {
  test.each([
    ['what is stored', environment(null, null), HOME, 'stored'],
    ['another token for what is stored', environment(null, 'given'), HOME, 'given'],
    ['the environment', environment('http://127.0.0.1:8080/', 'given'), 'http://127.0.0.1:8080', 'given'],
    ['the same address in another spelling', environment(`${HOME}/api/v1`, null), HOME, 'stored'],
  ])('is %s', (_name, given, url, token) => {
    const connection = chooseConnection(given, stored);
    expect([connection.url, connection.token?.reveal()]).toEqual([url, token]);
  });

  test('T24: never takes a stored token to another address', () => {
    const connection = chooseConnection(environment('https://evil.example.org', null), stored);
    expect(connection).toEqual({ url: 'https://evil.example.org', token: null });
  });

  test.each([
    [environment(null, null), 4],
    [environment(null, 'given'), 4],
    [environment('berth.example.org', 'given'), 2],
  ])('is refused for %j with exit code %d', (given, exitCode) => {
    const choose = () => chooseConnection(given, null);
    expect(choose).toThrow(CliError);
    expect(choose).toThrow(expect.objectContaining({ exitCode }));
  });
});
