import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { ensureNodeImage } from '../support/base-image.ts';
import { environmentApp, talkativeApp } from '../support/environment-apps.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import {
  dumpDatabase,
  findIn,
  findInStream,
  needlesOf,
  watchCommandLines,
} from '../support/secret-search.ts';
import { waitUntil } from '../support/wait-until.ts';

jest.setTimeout(300_000);

let platform: Platform;
let nodeImage: string;
beforeAll(async () => {
  nodeImage = await ensureNodeImage();
  platform = await startPlatform();
});
afterAll(() => platform?.close());

const KEYS = Array.from({ length: 200 }, (_, index) => `V_${index}`);

/** A thousand values of any text, and among them what quoting and interpolation trip over. */
function manyValues(): string[] {
  const special = fc.string({
    unit: fc.constantFrom(...Array.from('$#\'"`\\\n\r\t={} !*;&|')),
    maxLength: 60,
  });
  const any = fc.string({ unit: 'binary', maxLength: 120 });
  const values = fc.sample(fc.oneof(any, special, fc.json()), { numRuns: 990, seed: 11 });
  const known = [
    '',
    '=',
    '$HOME',
    '`id`$(id)',
    '{"a": "b\'c"}',
    '-----BEGIN KEY-----\nx==\n-----END KEY-----\n',
    '\u{1f389}日本語',
    'a\r\nb',
    '\\n',
    ' x ',
  ];
  // Of the environment of a process a NUL is the end.
  return [...known, ...values.map((value) => value.replaceAll('\0', '0').slice(0, 400))];
}

async function put(appId: string, variables: unknown): Promise<void> {
  const answer = await platform.api.send('PUT', `/apps/${appId}/env`, { variables });
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
}

describe('A11: a thousand values', () => {
  test('arrive byte by byte in the container and in the build, and wait for a deployment to do so', async () => {
    const repository = await platform.createRepository('values', environmentApp(nodeImage, KEYS));
    const app = await platform.api.createApp({
      name: 'values',
      repo_url: repository.url,
      port: 3000,
      health_check_path: '/',
      drain_seconds: 0,
      deploy: false,
    });
    const values = manyValues();
    expect(values).toHaveLength(1_000);
    for (let round = 0; round < 5; round += 1) {
      const part = values.slice(round * KEYS.length, (round + 1) * KEYS.length);
      await put(
        app.id,
        KEYS.map((key, index) => ({ key, value: part[index], scope: 'both' })),
      );
      const pending = (await platform.api.send('GET', `/apps/${app.id}`)).body;
      expect(pending).toMatchObject({ pending_changes: round === 0 ? [] : ['environment'] });

      await platform.deploy(app.id);
      expect((await platform.api.send('GET', `/apps/${app.id}`)).body).toMatchObject({ pending_changes: [] });
      for (const path of ['/run', '/build']) {
        const { status, body } = await platform.http('values.localhost', path);
        expect(status).toBe(200);
        const seen = environmentOf(Buffer.from(body, 'base64'));
        // Only what differs is shown.
        const differing = part.flatMap((value, index) =>
          seen[index] === value ? [] : [[value, seen[index]]],
        );
        expect([path, differing.slice(0, 5)]).toEqual([path, []]);
      }
    }
  });
});

/** The values of our keys, in their order, out of a process's environment. */
function environmentOf(bytes: Buffer): (string | undefined)[] {
  const entries = bytes.toString('utf8').split('\0');
  const values = new Map(
    entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
  return KEYS.map((key) => values.get(key));
}

describe('A12: a secret that the app itself tells', () => {
  // New each time, or BuildKit would remember that it has built this already, and say nothing.
  const [RUN = '', BUILD = ''] = ['run', 'build'].map(
    (name) => `canary-${name}-${randomBytes(6).toString('hex')}"x&y=ü/+?`,
  );
  const needles = [...needlesOf(RUN), ...needlesOf(BUILD)];

  test('T23: is found in no log, answer, command line, dump or error, and the one for run time in no image', async () => {
    const repository = await platform.createRepository('talk', talkativeApp(nodeImage));
    const app = await platform.api.createApp({
      name: 'talk',
      repo_url: repository.url,
      port: 3000,
      drain_seconds: 0,
      deploy: false,
      env: [
        { key: 'RUN_TOKEN', value: RUN },
        { key: 'BUILD_TOKEN', value: BUILD, scope: 'build' },
      ],
    });
    const commandLines = watchCommandLines(needles);
    const live = await platform.deploy(app.id);
    await repository.commit(talkativeApp(nodeImage, { builder: 'buildkit' }));
    await platform.deploy(app.id);
    await repository.commit(talkativeApp(nodeImage, { fails: 'build' }));
    await platform.deploy(app.id, 'failed');
    await repository.commit(talkativeApp(nodeImage, { fails: 'start' }));
    const exited = await platform.deploy(app.id, 'failed');
    // What cannot be stored is refused without a word of it.
    const refused = await platform.api.send('POST', `/apps/${app.id}/env`, { key: 'X', value: `${RUN}\0` });
    expect(refused.status).toBe(400);
    const { found, seen } = await commandLines.stop();
    expect(found).toEqual([]);
    expect(seen).toBeGreaterThan(20);

    // It was told, each time, and masked: so there was something to find.
    await waitUntil('the last words of the app are stored', async () => {
      const lines = await platform.prisma.logLine.findMany({ where: { streamId: `app:${app.id}` } });
      return lines.filter(({ text }) => text.includes('in two pieces: ***')).length >= 8;
    });
    const built = await platform.prisma.logLine.findMany({
      where: { source: 'build', text: { contains: '***' } },
    });
    expect(new Set(built.map(({ streamId }) => streamId)).size).toBe(4);
    expect(exited.log_tail.join('\n')).toContain('here it is: ***');

    for (const [table, text] of await dumpDatabase(platform.prisma)) {
      expect([table, findIn(text, needles)]).toEqual([table, []]);
    }
    for (const [path, text] of await everyAnswer(app.id)) {
      expect([path, findIn(text, needles)]).toEqual([path, []]);
    }
    for (const name of ['api.log', 'worker.log']) {
      expect([name, findIn(readFileSync(join(platform.dataDir, name), 'utf8'), needles)]).toEqual([name, []]);
    }
    const { docker } = platform.docker;
    const image = docker.getImage(live.image_id ?? '');
    const told = JSON.stringify([await image.history(), await image.inspect()]);
    expect(findIn(told, needlesOf(RUN))).toEqual([]);
    expect(await findInStream(await image.get(), needlesOf(RUN))).toEqual([]);
    // As the document of the API says: what is for builds is public in the image.
    expect(told).toContain('canary-build');
  });

  /** Every GET that the document names, with the ids of this installation, but the one that is there to tell values. */
  async function everyAnswer(appId: string): Promise<Map<string, string>> {
    const document = (await platform.api.send('GET', '/openapi.json')).body as {
      paths: Record<string, Record<string, { operationId: string }>>;
    };
    const deployments = await platform.api.deployments(appId);
    const app = await platform.prisma.app.findUniqueOrThrow({ where: { id: appId } });
    const answers = new Map<string, string>();
    for (const [path, item] of Object.entries(document.paths)) {
      if (item['get'] === undefined || path.endsWith('/env/export')) continue;
      const ids = path.startsWith('/deployments/') ? deployments.map(({ id }) => id) : [appId];
      for (const id of ids) {
        const place = path.startsWith('/projects/') ? app.projectId : id;
        const url = path.replace(/\{\w+\}/, place).replace(/\{\w+\}/g, 'RUN_TOKEN');
        answers.set(url, await textOf(url));
      }
    }
    expect(answers.size).toBeGreaterThan(15);
    return answers;
  }

  /** What comes within two seconds: some streams never end. */
  async function textOf(url: string): Promise<string> {
    const token = readFileSync(join(platform.dataDir, 'admin-token'), 'utf8').trim();
    const signal = AbortSignal.timeout(2_000);
    let text = '';
    try {
      const answer = await fetch(`http://127.0.0.1:${platform.settings['PORT']}/api/v1${url}`, {
        headers: { authorization: `Bearer ${token}` },
        redirect: 'manual',
        signal,
      });
      for await (const chunk of answer.body ?? []) text += Buffer.from(chunk).toString('utf8');
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    return text;
  }
});
