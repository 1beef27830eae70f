import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Dockerode from 'dockerode';
import { waitUntil } from './wait-until.ts';

const run = promisify(execFile);

/**
 * A Docker daemon of the test's own, with live-restore, which it may restart and kill. Its containerd is started apart:
 * else a killed dockerd leaves one behind that keeps the next from starting.
 */
export class PrivateDocker {
  /** It needs root, and the programs. */
  static readonly isPossible =
    process.getuid?.() === 0 && existsSync('/usr/sbin/dockerd') && existsSync('/usr/bin/containerd');

  readonly docker: Dockerode;
  readonly #directory: string;
  readonly #bridge = `brth${randomBytes(4).toString('hex')}`;
  #containerd: ChildProcess | null = null;
  #dockerd: ChildProcess | null = null;

  private constructor(directory: string) {
    this.#directory = directory;
    this.docker = new Dockerode({ socketPath: join(directory, 'docker.sock') });
  }

  static async start(): Promise<PrivateDocker> {
    const daemon = new PrivateDocker(await mkdtemp(join(tmpdir(), 'berth-docker-')));
    const at = (name: string) => join(daemon.#directory, name);
    await mkdir(at('containerd'));
    daemon.#containerd = await daemon.#run('containerd', [
      `--address=${at('containerd.sock')}`,
      `--root=${at('containerd/root')}`,
      `--state=${at('containerd/state')}`,
    ]);
    await waitUntil('containerd to listen', () => existsSync(at('containerd.sock')));
    await run('ip', ['link', 'add', daemon.#bridge, 'type', 'bridge']);
    await run('ip', ['addr', 'add', `10.253.${randomInt(256)}.1/24`, 'dev', daemon.#bridge]);
    await daemon.#startDockerd();
    return daemon;
  }

  /** Ends dockerd and starts it again; the containers run on meanwhile. */
  async restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await end(this.#dockerd, signal);
    await this.#startDockerd();
  }

  async close(): Promise<void> {
    for (const { Id } of await this.docker.listContainers({ all: true })) {
      await this.docker.getContainer(Id).remove({ force: true, v: true });
    }
    const networks = await this.docker.listNetworks({ filters: { type: ['custom'] } });
    for (const { Id } of networks) await this.docker.getNetwork(Id).remove();
    await end(this.#dockerd, 'SIGTERM');
    await end(this.#containerd, 'SIGTERM');
    await run('ip', ['link', 'delete', this.#bridge]);
    // dockerd mounts its data folder onto itself, and one that was killed leaves that behind.
    const data = join(this.#directory, 'data');
    while ((await readFile('/proc/mounts', 'utf8')).includes(` ${data} `)) await run('umount', [data]);
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #startDockerd(): Promise<void> {
    const at = (name: string) => join(this.#directory, name);
    this.#dockerd = await this.#run('dockerd', [
      `--host=unix://${at('docker.sock')}`,
      `--containerd=${at('containerd.sock')}`,
      `--data-root=${at('data')}`,
      `--exec-root=${at('exec')}`,
      `--pidfile=${at('docker.pid')}`,
      // Of its own: with `none` dockerd removes the host's docker0, which another daemon builds in.
      `--bridge=${this.#bridge}`,
      '--iptables=false',
      '--live-restore',
    ]);
    await waitUntil('dockerd to answer', () =>
      this.docker.ping().then(
        () => true,
        () => false,
      ),
    );
  }

  async #run(command: string, args: string[]): Promise<ChildProcess> {
    const log = await open(join(this.#directory, `${command}.log`), 'a');
    try {
      return spawn(command, args, { stdio: ['ignore', log.fd, log.fd] });
    } finally {
      await log.close();
    }
  }
}

async function end(child: ChildProcess | null, signal: NodeJS.Signals): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}
