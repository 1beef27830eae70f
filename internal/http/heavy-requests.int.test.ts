import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { attempt, fill } from '../../test/support/operations/attempt.ts';
import { credentials, whoMay } from '../../test/support/operations/callers.ts';
import { type Row, TABLE } from '../../test/support/operations/table.ts';
import { makeTenant, type Tenant } from '../../test/support/operations/tenant.ts';
import { openWorld, type World } from '../../test/support/operations/world.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { type Listening, listen } from './listen.ts';

const MB = 1024 * 1024;
const DEEP = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;

let world: World;
let mine: Tenant;
beforeAll(async () => {
  world = await openWorld();
  mine = await makeTenant(world);
});
afterAll(() => world?.close());

const withBody = Object.entries(TABLE).filter(([, row]) => row.body);
const pathOf = (id: string, row: Row) =>
  `/api/v1${fill(world.operations.get(id)?.path ?? '', { ...row.of?.(mine), ...row.params?.(mine) })}`;
/** A request that is written by hand, whose client goes on sending whatever comes back. */
class RawRequest {
  readonly socket: Socket;
  received = '';

  constructor(port: number, id: string, row: Row, headers: Readonly<Record<string, string>>) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.setEncoding('utf8').on('data', (text: string) => {
      this.received += text;
    });
    this.socket.on('error', () => undefined);
    const method = world.operations.get(id)?.method.toUpperCase() ?? '';
    const all = {
      host: 'x',
      'content-type': 'application/json',
      ...credentials(world, whoMay(row), { mine, other: mine }),
      ...headers,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    this.socket.write(`${method} ${pathOf(id, row)} HTTP/1.1\r\n${lines.join('')}\r\n`);
  }

  async status(): Promise<number> {
    await waitUntil('an answer', () => this.received.includes('\r\n') || this.socket.closed, {
      intervalMs: 5,
    });
    return Number(this.received.split(' ')[1]);
  }
}

test.each(withBody)('T59: %s refuses a body of 20 MB, before it has come', async (id, row) => {
  const request = new RawRequest(world.port, id, row, { 'content-length': String(20 * MB) });
  expect(await request.status()).toBe(413);
  request.socket.destroy();
});

test('T59: each refuses 20 MB that come without a length, and memory stays flat', async () => {
  const before = process.memoryUsage().arrayBuffers;
  for (const [id, row] of withBody) expect([id, await sendWithoutLength(id, row)]).toEqual([id, 413]);
  expect(withBody.length * 20).toBeGreaterThan(300);
  // What is there besides is on its way to be collected.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * MB);
});

async function sendWithoutLength(id: string, row: Row): Promise<number> {
  const request = new RawRequest(world.port, id, row, { 'transfer-encoding': 'chunked' });
  const { socket } = request;
  const piece = `10000\r\n${' '.repeat(0x10000)}\r\n`;
  for (let sent = 0; sent < 20 * MB && request.received === '' && !socket.destroyed; sent += 0x10000) {
    // Calls back when it is on its way, or never will be.
    await new Promise((taken) => socket.write(piece, taken));
  }
  socket.write('0\r\n\r\n');
  const status = await request.status();
  socket.destroy();
  return status;
}

test.each(withBody)('T59: %s refuses nesting without end, and no JSON', async (id, row) => {
  const inOrder = { id, as: whoMay(row), mine, other: mine };
  for (const text of [
    DEEP,
    `{"name":${DEEP}}`,
    `{"a":`.repeat(50_000),
    '{"name": "x"',
    '\u0000',
    '\ufeff{',
  ]) {
    expect((await attempt(world, { ...inOrder, text })).status).toBe(400);
  }
});

test('T59: a webhook takes up to 5 MB and refuses more', async () => {
  for (const id of ['receiveAppWebhook', 'receiveGithubAppWebhook']) {
    const row = TABLE[id];
    if (!row) throw new Error(`${id} has no row`);
    const request = new RawRequest(world.port, id, row, { 'content-length': String(20 * MB) });
    expect(await request.status()).toBe(413);
    request.socket.destroy();
  }
});

test('T59: a body where none is expected is not read', async () => {
  const without = Object.entries(TABLE).filter(
    ([id, row]) => !row.body && !row.raw && world.operations.get(id)?.method !== 'get' && row.of,
  );
  expect(without.length).toBeGreaterThan(10);
  for (const [id, row] of without) {
    const tenant = await makeTenant(world);
    const query: Readonly<Record<string, string>> = (await row.first?.(tenant, world)) ?? {};
    const answer = await attempt(world, {
      id,
      as: whoMay(row),
      mine: tenant,
      other: tenant,
      query,
      text: DEEP,
    });
    expect([id, answer.status]).toEqual([id, row.answers]);
  }
});

test('T59: whoever sends slowly is told so and cut off, by every kind of route; others are served meanwhile', async () => {
  const impatient: Listening = await listen(world.api.app, {
    port: 0,
    address: '127.0.0.1',
    requestTimeoutMs: 500,
  });
  try {
    const slow = ['createApp', 'receiveAppWebhook', 'stopApp', 'getMe'].map((id) => {
      const row = TABLE[id];
      if (!row) throw new Error(`${id} has no row`);
      const request = new RawRequest(impatient.port, id, row, { 'content-length': '1000' });
      request.socket.write('{"name":');
      return { id, request };
    });
    const quick = await fetch(`http://127.0.0.1:${impatient.port}/health`);
    expect(quick.status).toBe(200);
    for (const { id, request } of slow) {
      await waitUntil(`${id} to be cut off`, () => request.socket.closed);
      // Who needs no body has answered before; nobody has failed.
      expect([id, request.received.split(' ')[1]]).toEqual([
        id,
        expect.stringMatching(id === 'getMe' || id === 'stopApp' ? /^20[02]$/ : /^408$/),
      ]);
    }
    expect((await fetch(`http://127.0.0.1:${impatient.port}/health`)).status).toBe(200);
  } finally {
    await impatient.close(500);
  }
});
