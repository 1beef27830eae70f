import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { type Listening, listen } from '../http/listen.ts';
import { appendLines, type NewLine } from '../logs/append-lines.ts';

const CHECKOUT = join(import.meta.dirname, '../..');

let api: ApiUnderTest;
let server: Listening;
let program: ChildProcess | null = null;
beforeAll(async () => {
  api = await startApi();
  server = await listen(api.app, { port: 0, address: '127.0.0.1' });
});
afterAll(async () => {
  program?.kill('SIGKILL');
  await server?.close(500);
  await api?.close();
});

const line = (text: string, more: Partial<NewLine> = {}): NewLine => ({
  source: 'build',
  level: 'info',
  stream: null,
  text,
  ...more,
});

test('the program of docs/api-websocket.md follows a deployment, over a restart of the API, to its end', async () => {
  const page = readFileSync(join(CHECKOUT, 'docs/api-websocket.md'), 'utf8');
  const [, example = ''] = /```js\n(.*?)```/s.exec(page) ?? [];
  const made = await api.call('post', '/apps').send({ name: 'shop', repo_url: 'acme/shop' });
  const { id } = (made.body as { latest_deployment: { id: string } }).latest_deployment;

  const args = ['--input-type=module', '-e', example, '--', `http://127.0.0.1:${server.port}`, id];
  program = spawn(process.execPath, args, {
    cwd: CHECKOUT,
    env: { BERTH_TOKEN: api.token },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [program.stdout, program.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  }
  const prints = (text: string) => waitUntil(text, () => printed.includes(text), { explain: () => printed });

  await appendLines(api.prisma, id, [line('cloning')]);
  await prints('cloning');
  const { port } = server;
  await server.close(0);
  server = await listen(api.app, { port, address: '127.0.0.1' });
  const failed = JSON.stringify({ status: 'failed', step: null });
  await appendLines(api.prisma, id, [line('broken'), line(failed, { source: 'status', level: 'deploy' })]);
  await prints('[failed]');
  await waitUntil('the program to end', () => program?.exitCode === 0, { explain: () => printed });
  expect(printed).toBe('[pending]\ncloning\nbroken\n[failed]\n');
});
