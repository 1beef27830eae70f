import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import Dockerode from 'dockerode';
import { pack } from 'tar-fs';
import { freePorts } from '../../test/support/free-ports.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { askHttp } from './ask-http.ts';
import { DockerSocket } from './docker-socket.ts';
import { importImage } from './import-image.ts';
import { writeTraefikFiles } from './traefik.ts';
import { removeContainer, TraefikContainer } from './traefik-container.ts';

const INSTANCE = `t${Math.random().toString(36).slice(2, 11)}`;
const docker = new DockerSocket('unix:///var/run/docker.sock');
let directory: string;
let image: string;

/** The official image has the program at another place, but is started in the same way: options after its entry point. */
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'berth-traefik-'));
  const binary = process.env['BERTH_TEST_TRAEFIK'];
  if (!binary) throw new Error('Set BERTH_TEST_TRAEFIK to a Traefik binary, or run the tests by bin/test.');
  const root = join(directory, 'root');
  mkdirSync(root);
  copyFileSync(binary, join(root, 'traefik'));
  image = await importImage(new Dockerode(), {
    repository: 'berth-test/traefik',
    tag: INSTANCE,
    files: Readable.from(pack(root)),
    changes: ['ENTRYPOINT ["/traefik"]'],
  });
});

afterAll(async () => {
  await new Dockerode().getImage(image).remove({ force: true });
  rmSync(directory, { recursive: true, force: true });
});

test('from an image it serves as a process would, comes back when killed, and leaves nothing', async () => {
  const [httpPort = 0, apiPort = 0, other = 0] = await freePorts(3);
  const configFile = writeTraefikFiles(resolve(import.meta.dirname, '../..'), join(directory, 'config'), {
    instance: INSTANCE,
    httpPort,
    apiPort,
    dockerHost: 'unix:///var/run/docker.sock',
    platformHost: 'berth.localhost',
    apiAddress: `127.0.0.1:${other}`,
    fallbackPort: other,
  });
  const options = { image, instance: INSTANCE, directory: join(directory, 'config'), configFile };
  const isUp = async () =>
    (await askHttp({ address: '127.0.0.1', port: apiPort, path: '/api/version' }))?.status === 200;

  const first = await new TraefikContainer(docker, options).start();
  await waitUntil('Traefik to answer', isUp);
  // As after a supervisor that was killed: the next one replaces what it left.
  const second = await new TraefikContainer(docker, options).start();
  expect(second).not.toBe(first);
  await waitUntil('Traefik to answer again', isUp);

  const { State } = await docker.json<{ State: { Pid: number } }>({
    method: 'GET',
    path: `/containers/${second}/json`,
  });
  process.kill(State.Pid, 'SIGKILL');
  await waitUntil('Docker to start it again', async () => {
    const { State: now } = await docker.json<{ State: { Pid: number; Running: boolean } }>({
      method: 'GET',
      path: `/containers/${second}/json`,
    });
    return now.Running && now.Pid !== State.Pid && (await isUp());
  });
  await removeContainer(docker, second);
  await removeContainer(docker, second);
  const filters = encodeURIComponent(JSON.stringify({ label: [`berth.instance=${INSTANCE}`] }));
  const left = await docker.json({ method: 'GET', path: `/containers/json?all=true&filters=${filters}` });
  expect(left).toEqual([]);
});
