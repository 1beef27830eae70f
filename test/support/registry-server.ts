import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Dockerode from 'dockerode';
import { freePorts } from './free-ports.ts';
import { httpRequest } from './http-request.ts';
import { waitUntil } from './wait-until.ts';

const run = promisify(execFile);

/** Where scripts/find-registry-program.ts puts it, for tests that are run by hand. */
const CACHED = join(homedir(), '.cache/berth/docker-registry/usr/bin/docker-registry');
const program = process.env['BERTH_TEST_REGISTRY'] ?? (existsSync(CACHED) ? CACHED : undefined);
/** Null: it is here. */
export const registryLacks =
  program === undefined
    ? (process.env['BERTH_TEST_REGISTRY_LACKS'] ?? 'bin/test has not looked for it')
    : null;

/** Of the one user that a registry with sign-in knows. */
export const SIGN_IN = { user: 'berth', password: 'canary-registry-pw-7' };
const HTPASSWD = `${SIGN_IN.user}:$2y$04$ZHQ82PGu10ub/tT8nJLfguA5vYxaeme5wLC9FTudCIgziZd0KeQZ.\n`;

interface RegistryOptions {
  /** 127.0.0.1, where Docker takes plain HTTP, unless another address of this machine is given. */
  readonly address?: string;
  /** It asks who one is. */
  readonly signIn?: boolean;
  /** By a certificate of an authority that nobody knows. */
  readonly tls?: boolean;
  /** It keeps its images on a file system of this size (in a mount namespace: needs no root). */
  readonly sizeMb?: number;
}

/** Debian's registry for images, the real one, as a process. */
export class RegistryServer {
  readonly host: string;
  readonly #port: number;
  readonly #process: ChildProcess;
  readonly #folder: string;
  #log = '';

  private constructor(of: { host: string; port: number; child: ChildProcess; folder: string }) {
    this.host = of.host;
    this.#port = of.port;
    this.#process = of.child;
    this.#folder = of.folder;
    for (const stream of [of.child.stdout, of.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#log = (this.#log + chunk.toString()).slice(-20_000);
      });
    }
  }

  static async start({ address = '127.0.0.1', ...options }: RegistryOptions = {}): Promise<RegistryServer> {
    if (program === undefined) throw new Error(`There is no registry: ${registryLacks}`);
    const folder = await mkdtemp(join(tmpdir(), 'berth-registry-'));
    const [port = 0] = await freePorts(1);
    const file = join(folder, 'config.yml');
    // What is JSON is YAML too.
    await writeFile(file, JSON.stringify(await configOf(folder, `${address}:${port}`, options)));
    const serve = `exec ${program} serve ${file}`;
    const mount = `mount -t tmpfs -o size=${options.sizeMb}m none ${folder}/data && ${serve}`;
    const child =
      options.sizeMb === undefined
        ? spawn(program, ['serve', file])
        : spawn('unshare', [
            '--user',
            '--map-root-user',
            '--mount',
            'sh',
            '-c',
            `mkdir ${folder}/data && ${mount}`,
          ]);
    const server = new RegistryServer({ host: `${address}:${port}`, port, child, folder });
    await waitUntil('the registry to listen', () => isOpen(address, port), {
      timeoutMs: 20_000,
      explain: () => server.log,
    });
    return server;
  }

  get log(): string {
    return this.#log;
  }

  /** The digest that a name stands for; null: the registry does not know it. */
  async digestOf(repository: string, tag: string, signIn?: typeof SIGN_IN): Promise<string | null> {
    const authorization =
      signIn && `Basic ${Buffer.from(`${signIn.user}:${signIn.password}`).toString('base64')}`;
    const { status, headers } = await httpRequest({
      port: this.#port,
      path: `/v2/${repository}/manifests/${tag}`,
      method: 'HEAD',
      headers: {
        accept: 'application/vnd.docker.distribution.manifest.v2+json',
        ...(authorization !== undefined && { authorization }),
      },
    });
    return status === 200 ? String(headers['docker-content-digest']) : null;
  }

  async close(): Promise<void> {
    if (this.#process.exitCode === null) {
      const ended = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** What takes connections where a registry would be, and does with each what it is told. */
export async function startFaultyRegistry(
  deed: (socket: Socket) => void,
): Promise<{ host: string; close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    deed(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const at = server.address();
  return {
    host: `127.0.0.1:${typeof at === 'object' ? at?.port : ''}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** An address of this machine that is no loopback: there Docker asks for a certificate. */
export async function bridgeAddress(docker = new Dockerode()): Promise<string> {
  const { IPAM } = await docker.getNetwork('bridge').inspect();
  const gateway = IPAM?.Config?.[0]?.Gateway;
  if (gateway === undefined) throw new Error('Docker has no default bridge.');
  return gateway;
}

async function configOf(folder: string, addr: string, { signIn, tls }: RegistryOptions) {
  await writeFile(join(folder, 'htpasswd'), HTPASSWD);
  return {
    version: '0.1',
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: join(folder, 'data') } },
    http: { addr, ...(tls && { tls: await makeCertificate(folder) }) },
    ...(signIn && { auth: { htpasswd: { realm: 'test', path: join(folder, 'htpasswd') } } }),
  };
}

async function makeCertificate(folder: string): Promise<{ certificate: string; key: string }> {
  const [certificate, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const subject = ['-subj', '/CN=registry', '-days', '2', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await run('openssl', ['req', '-x509', ...newKey, '-keyout', key, '-out', certificate, ...subject]);
  return { certificate, key };
}

async function isOpen(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
