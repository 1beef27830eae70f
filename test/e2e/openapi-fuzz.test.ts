import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ProductProcess } from '../support/child-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { FakeGithub } from '../support/fake-github.ts';
import { freePorts } from '../support/free-ports.ts';
import { httpRequest } from '../support/http-request.ts';
import { newKey } from '../support/new-key.ts';
import { waitUntil } from '../support/wait-until.ts';

const CHECKOUT = resolve(import.meta.dirname, '../..');
/** Another one asks other questions: BERTH_FUZZ_SEED=… bin/test e2e */
const SEED = process.env['BERTH_FUZZ_SEED'] ?? '7';
/** Cases per operation and phase; the whole takes a minute on an idle machine. */
const CASES = '20';
const LIMIT_MS = 420_000;
/** Streams of an app, which may always write another line, and of a deployment, which no worker ends here. */
const ENDLESS = ['followAppLog', 'followLog'];
/** It could remove the token that it asks with. */
const FATAL = ['deleteToken'];
const EXCLUDED = [...ENDLESS, ...FATAL];

const program = process.env['BERTH_TEST_SCHEMATHESIS'];
const lacks = process.env['BERTH_TEST_SCHEMATHESIS_LACKS'] ?? 'bin/test has not installed schemathesis';

let database: TestDatabase;
let github: FakeGithub;
let dataDir: string;
let port: number;
let api: ProductProcess;
let tool: ChildProcess | null = null;
beforeAll(async () => {
  if (!program) return;
  database = await createTestDatabase();
  github = await FakeGithub.start();
  dataDir = mkdtempSync(join(tmpdir(), 'berth-fuzz-'));
  let fallbackPort = 0;
  [port = 0, fallbackPort = 0] = await freePorts(2);
  api = new ProductProcess({
    name: 'api',
    command: process.execPath,
    args: ['--import', 'tsx', 'cmd/api/main.ts'],
    environment: {
      PATH: process.env['PATH'] ?? '',
      DATA_DIR: dataDir,
      DATABASE_URL: database.url.reveal(),
      PORT: String(port),
      FALLBACK_PORT: String(fallbackPort),
      ENCRYPTION_KEY: newKey().reveal(),
      SESSION_SECRET: newKey().reveal(),
      // Set up, because 501 says that something is missing.
      ...github.environment(),
      RATE_LIMIT_REQUESTS: '1000000',
      RATE_LIMIT_DEPLOYS: '1000000',
      RATE_LIMIT_SIGN_INS: '1000000',
    },
    cwd: CHECKOUT,
    logFile: join(dataDir, 'api.log'),
  });
  const isUp = () =>
    httpRequest({ port, path: '/health' }).then(
      ({ status }) => status === 200,
      () => false,
    );
  // From the sources it takes long to start where much else runs.
  await waitUntil('the API to answer', isUp, { timeoutMs: 120_000, explain: () => api.tail });
}, 180_000);
afterAll(async () => {
  if (!program) return;
  tool?.kill('SIGKILL');
  await api?.stop();
  await database?.close();
  await github?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const name = program
  ? `the API answers as its document says, whatever is asked (schemathesis, seed ${SEED})`
  : `SKIPPED, because ${lacks}: the API against its document by schemathesis`;
if (!program) process.stderr.write(`${name}\n`);

(program ? test : test.skip)(
  name,
  async () => {
    const { code, output } = await ask();
    const { selected = 0, tested = 0, cases = 0 } = countsOf(output);
    if (code !== 0) throw new Error(`schemathesis ended with ${code} (seed ${SEED}):\n${output}`);
    const { body } = await httpRequest({ port, path: '/openapi.json' });
    const { paths } = JSON.parse(body) as { paths: Record<string, object> };
    const operations = Object.values(paths).flatMap((item) => Object.keys(item)).length;
    // The document's own operation it leaves out by itself.
    const asked = operations - EXCLUDED.length - 1;
    expect([selected, tested]).toEqual([asked, asked]);
    expect(cases).toBeGreaterThan(1_000);
  },
  LIMIT_MS + 10_000,
);

async function ask(): Promise<{ code: number; output: string }> {
  const url = `http://127.0.0.1:${port}/api/v1`;
  const token = readFileSync(join(dataDir, 'admin-token'), 'utf8').trim();
  const options = [
    `--url=${url}`,
    `--header=Authorization: Bearer ${token}`,
    `--seed=${SEED}`,
    `--max-examples=${CASES}`,
    // The document cannot say all that a repository's URL or a branch must be: some of what it allows is refused. A
    // deleted app answers until a worker has removed it, and a cleared log stays readable, both as documented.
    '--exclude-checks=positive_data_acceptance,use_after_free',
    '--request-timeout=60',
    '--generation-database=none',
    '--continue-on-failure',
    ...EXCLUDED.map((id) => `--exclude-operation-id=${id}`),
    '--no-color',
  ];
  const config = join(CHECKOUT, 'test/e2e/openapi-fuzz.toml');
  const args = ['--config-file', config, 'run', `${url}/openapi.json`, ...options];
  const child = spawn(program ?? '', args, { cwd: dataDir, stdio: ['ignore', 'pipe', 'pipe'] });
  tool = child;
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  // Interrupted, it still tells what it has found.
  const limits = [
    setTimeout(() => child.kill('SIGINT'), LIMIT_MS),
    setTimeout(() => child.kill('SIGKILL'), LIMIT_MS + 5_000),
  ];
  await once(child, 'close');
  for (const limit of limits) clearTimeout(limit);
  return { code: child.exitCode ?? -1, output: output.replaceAll(token, '[token]') };
}

function countsOf(output: string): { selected?: number; tested?: number; cases?: number } {
  const [, selected, tested] = /Selected: (\d+)\/\d+\s+Tested: (\d+)/.exec(output) ?? [];
  const [, cases] = /(\d+) generated/.exec(output) ?? [];
  return { selected: Number(selected), tested: Number(tested), cases: Number(cases) };
}
