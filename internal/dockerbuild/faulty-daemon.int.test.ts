import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import Dockerode from 'dockerode';
import { pino } from 'pino';
import { ROOMY_DISK, TEST_LIMITS } from '../../test/support/build-limits.ts';
import { DockerImageBuilder } from './image-builder.ts';

/** A daemon that answers as the real one was seen to answer in trouble that cannot be made here at will. */
let directory = '';
let server: Server;
let events: ServerResponse[] = [];
let answerBuild: (response: ServerResponse) => void;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-daemon-'));
  await writeFile(join(directory, 'Dockerfile'), 'FROM x\n');
  events = [];
  server = createServer((request, response) => {
    const path = request.url ?? '';
    if (path.startsWith('/events')) {
      response.writeHead(200).flushHeaders();
      events.push(response);
    } else if (path.startsWith('/build')) {
      request.resume().on('end', () => answerBuild(response));
    } else {
      response.writeHead(path.startsWith('/_ping') ? 200 : 404).end('{"message":"no such image"}');
    }
  });
  await new Promise<void>((resolve) => server.listen(join(directory, 'docker.sock'), resolve));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(directory, { recursive: true, force: true });
});

const line = (message: object) => `${JSON.stringify(message)}\n`;
const killed = line({
  errorDetail: { code: 137, message: 'non-zero code: 137' },
  error: 'non-zero code: 137',
});

describe('M4: a step that was killed (137)', () => {
  test('means lack of memory while the daemon stays', async () => {
    answerBuild = (response) => response.end(line({ stream: 'Step 1/2 : RUN x\n' }) + killed);
    await expect(build()).rejects.toMatchObject({ code: 'build_out_of_memory' });
  });

  test('means nothing of the kind when the daemon was stopped, even if it is back at once', async () => {
    answerBuild = (response) => {
      for (const stream of events) stream.destroy();
      response.end(killed);
    };
    await expect(build()).rejects.toMatchObject({ code: 'docker_unavailable' });
  });
});

test('F15: a connection that breaks in the middle of a build is the platform’s fault', async () => {
  answerBuild = (response) => {
    response.write(line({ stream: 'Step 1/2 : RUN x\n' }), () => response.destroy());
  };
  await expect(build()).rejects.toMatchObject({ code: 'docker_unavailable' });
});

test('M3: a stream that ends well without an image that can be found is no success', async () => {
  answerBuild = (response) => response.end(line({ stream: 'Successfully built 123\n' }));
  await expect(build()).rejects.toMatchObject({ code: 'docker_unavailable' });
  answerBuild = (response) => response.end(line({ aux: { ID: 'sha256:123' } }));
  await expect(build()).rejects.toMatchObject({ code: 'docker_unavailable' });
});

test('F22: a full disk is told apart from a broken build, before and after it began', async () => {
  const message = 'write /var/lib/docker/x: no space left on device';
  answerBuild = (response) => response.end(line({ error: message, errorDetail: { message } }));
  await expect(build()).rejects.toMatchObject({ code: 'disk_full' });
  answerBuild = (response) => response.writeHead(500).end(JSON.stringify({ message }));
  await expect(build()).rejects.toMatchObject({ code: 'disk_full' });
});

test('F18: a daemon that stands still does not keep a build from being stopped', async () => {
  answerBuild = () => {};
  const cancel = new AbortController();
  const reason = new Error('cancelled by a test');
  const building = build(cancel.signal);
  setTimeout(() => cancel.abort(reason), 200);
  await expect(building).rejects.toBe(reason);
});

test('F18: a daemon that is away is named, whatever it was asked', async () => {
  const builder = newBuilder();
  await rm(join(directory, 'docker.sock'));
  for (const asked of [builder.inspect('sha256:1'), builder.list({}), builder.cachedLayers(), build()]) {
    await expect(asked).rejects.toMatchObject({ code: 'docker_unavailable' });
  }
});

function newBuilder(): DockerImageBuilder {
  return new DockerImageBuilder({
    docker: new Dockerode({ socketPath: join(directory, 'docker.sock') }),
    instanceId: 'test',
    limits: { ...TEST_LIMITS, timeoutSeconds: 20 },
    disk: ROOMY_DISK,
    logger: pino({ level: 'silent' }),
  });
}

function build(signal: AbortSignal = new AbortController().signal) {
  const ref = {
    deploymentId: 'dep1',
    attempt: 1,
    appId: 'app1',
    appName: 'web',
    projectId: 'project1',
    ownerHash: 'abcdef',
  };
  return newBuilder().build(
    {
      ref,
      contextDirectory: directory,
      dockerfile: { path: 'Dockerfile' },
      buildArguments: {},
      tag: 'berth/web:dep1',
    },
    { onLine: () => {}, signal },
  );
}
