import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';
import { findPostmaster } from './postmaster.ts';

describe('the built-in Postgres', () => {
  let dataDir: string;
  let postgres: EmbeddedPostgres | null;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'berth-embedded-'));
    await chmod(dataDir, 0o711);
    postgres = null;
  });
  afterEach(async () => {
    await postgres?.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  const clusterFile = (name: string) => join(dataDir, 'postgres/cluster', name);
  const start = async () => {
    postgres = await startEmbeddedPostgres({ dataDir, throwAway: true });
    return postgres;
  };

  test('is started once by three who come together, with a password nobody else can read', async () => {
    const urls = (await Promise.all([start(), start(), start()])).map((server) => server.url.reveal());
    expect(new Set(urls).size).toBe(1);
    expect(await ask(urls[0], 'SHOW server_version_num')).toMatch(/^18/);
    expect((await stat(clusterFile('password'))).mode & 0o777).toBe(0o600);
    const wrong = (urls[0] ?? '').replace(/:[0-9a-f]{48}@/, ':wrong@');
    await expect(ask(wrong, 'SELECT 1')).rejects.toThrow('password authentication failed');
  }, 60_000);

  test('outlives the process that started it, for the next to join', async () => {
    const script = `
      import { startEmbeddedPostgres } from ${JSON.stringify(join(import.meta.dirname, 'embedded-postgres.ts'))};
      await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)}, throwAway: true });`;
    const file = join(dataDir, 'start.mts');
    await writeFile(file, script);
    const tsx = join(import.meta.dirname, '../../node_modules/tsx/dist/cli.mjs');
    await promisify(execFile)(process.execPath, [tsx, file]);
    const before = await findPostmaster(clusterFile('data'));
    expect(before?.ready).toBe(true);
    await start();
    expect(await findPostmaster(clusterFile('data'))).toEqual(before);
  }, 60_000);

  test('keeps its data and its port over a restart, also after a crash', async () => {
    const first = await start();
    await ask(first.url.reveal(), 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    expect(await findPostmaster(clusterFile('data'))).toBeNull();

    const second = await start();
    expect(second.url.reveal()).toBe(first.url.reveal());
    const server = await findPostmaster(clusterFile('data'));
    if (server === null) throw new Error('not running');
    await ask(second.url.reveal(), 'CHECKPOINT');
    process.kill(server.pid, 'SIGKILL');

    const third = await start();
    expect(third.url.reveal()).toBe(first.url.reveal());
    expect(await ask(third.url.reveal(), 'SELECT answer FROM kept')).toBe('42');
  }, 60_000);

  test('runs in a folder that other users cannot pass', async () => {
    await chmod(dataDir, 0o700);
    const { url } = await start();
    expect(await ask(url.reveal(), 'SELECT 1')).toBe('1');
  }, 60_000);

  test('listens on loopback only, and gives its own environment none of ours', async () => {
    const { url } = await start();
    expect(await ask(url.reveal(), 'SHOW listen_addresses')).toBe('127.0.0.1');
    expect(await ask(url.reveal(), 'SHOW unix_socket_directories')).toBe('');
    const server = await findPostmaster(clusterFile('data'));
    const environment = await readFile(`/proc/${server?.pid}/environ`, 'utf8');
    const names = environment.split('\0').map((entry) => entry.split('=')[0] ?? '');
    expect(names.filter((name) => !/^(PATH|LC_.*|PG.*|)$/.test(name))).toEqual([]);
  }, 60_000);

  test('of another major version is refused with what to do', async () => {
    await (await start()).stop();
    await writeFile(clusterFile('data/PG_VERSION'), '17\n');
    await expect(start()).rejects.toThrow(/is of PostgreSQL 17, and this Berth brings 18; dump it/);
  }, 60_000);
});

async function ask(url: string | undefined, sql: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query({ text: sql, rowMode: 'array' });
    return String(rows[0]?.[0]);
  } finally {
    await client.end();
  }
}
