import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Dockerode from 'dockerode';
import { HeldSocket } from './held-socket.ts';
import { waitUntil } from './wait-until.ts';

const run = promisify(execFile);
/** At their start both await the disk, which stalls while others write much. */
const START_MS = 120_000;

export interface PrivateDockerOptions {
  readonly liveRestore?: boolean;
  /** Its socket stays when it goes, as with systemd. */
  readonly heldSocket?: boolean;
}

/**
 * A Docker daemon of the test's own, by default with live-restore, which it may restart, freeze and kill. Its containerd
 * is started apart: else a killed dockerd leaves one behind that keeps the next from starting.
 */
export class PrivateDocker {
  /** It needs root, and the programs. */
  static readonly isPossible =
    process.getuid?.() === 0 && existsSync('/usr/sbin/dockerd') && existsSync('/usr/bin/containerd');

  readonly docker: Dockerode;
  /** As in DOCKER_HOST. */
  readonly host: string;
  readonly #directory: string;
  readonly #liveRestore: boolean;
  readonly #heldSocket: boolean;
  readonly #bridge = `brth${randomBytes(4).toString('hex')}`;
  #containerd: ChildProcess | null = null;
  #dockerd: ChildProcess | null = null;
  #socket: HeldSocket | null = null;

  private constructor(directory: string, options: Required<PrivateDockerOptions>) {
    const socketPath = join(directory, 'docker.sock');
    this.#directory = directory;
    this.#liveRestore = options.liveRestore;
    this.#heldSocket = options.heldSocket;
    this.host = `unix://${socketPath}`;
    this.docker = new Dockerode({ socketPath });
  }

  static async start({
    liveRestore = true,
    heldSocket = false,
  }: PrivateDockerOptions = {}): Promise<PrivateDocker> {
    const directory = await mkdtemp(join(tmpdir(), 'berth-docker-'));
    const daemon = new PrivateDocker(directory, { liveRestore, heldSocket });
    if (heldSocket) await daemon.#holdSocket();
    await daemon.#startContainerd();
    await run('ip', ['link', 'add', daemon.#bridge, 'type', 'bridge']);
    await run('ip', ['addr', 'add', `10.253.${randomInt(256)}.1/24`, 'dev', daemon.#bridge]);
    await daemon.#startDockerd();
    return daemon;
  }

  /** Ends dockerd and starts it again; the containers run on meanwhile, and with live-restore afterwards, too. */
  async restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await end(this.#dockerd, signal);
    await this.#startDockerd();
  }

  /** It takes connections and answers nothing, until the returned function is called. */
  freeze(): () => void {
    this.#dockerd?.kill('SIGSTOP');
    return () => this.#dockerd?.kill('SIGCONT');
  }

  /** As when the power goes: daemons and containers end at once, and nobody is told. */
  async losePower(): Promise<void> {
    const shims = await this.#shims();
    const inContainers = await descendantsOf(shims);
    await end(this.#dockerd, 'SIGKILL');
    await end(this.#containerd, 'SIGKILL');
    for (const pid of [...shims, ...inContainers]) killIfThere(pid);
  }

  async startAgain(): Promise<void> {
    await rm(join(this.#directory, 'docker.pid'), { force: true });
    await this.#startContainerd();
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
    await this.#socket?.close();
    await run('ip', ['link', 'delete', this.#bridge]);
    // dockerd mounts its data folder onto itself, and one that was killed leaves that behind.
    const data = join(this.#directory, 'data');
    while ((await readFile('/proc/mounts', 'utf8')).includes(` ${data} `)) await run('umount', [data]);
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #startContainerd(): Promise<void> {
    const at = (name: string) => join(this.#directory, name);
    await mkdir(at('containerd'), { recursive: true });
    await rm(at('containerd.sock'), { force: true });
    this.#containerd = await this.#run('containerd', [
      `--address=${at('containerd.sock')}`,
      `--root=${at('containerd/root')}`,
      `--state=${at('containerd/state')}`,
    ]);
    await waitUntil('containerd to listen', () => existsSync(at('containerd.sock')), { timeoutMs: START_MS });
  }

  async #holdSocket(): Promise<void> {
    const path = join(this.#directory, 'docker.sock');
    this.#socket = await HeldSocket.open({ path, serverPath: this.#ownSocket });
  }

  /** That dockerd itself listens on. */
  get #ownSocket(): string {
    return join(this.#directory, this.#heldSocket ? 'dockerd.sock' : 'docker.sock');
  }

  /** The processes that hold its containers: their arguments name its socket, and no other daemon's. */
  async #shims(): Promise<number[]> {
    const socket = join(this.#directory, 'containerd.sock');
    const found = await Promise.all(
      (await processIds()).map(async (pid) => {
        const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
        return words.includes('containerd-shim') && words.split('\0').includes(socket) ? [pid] : [];
      }),
    );
    return found.flat();
  }

  async #startDockerd(): Promise<void> {
    const at = (name: string) => join(this.#directory, name);
    this.#dockerd = await this.#run('dockerd', [
      `--host=unix://${this.#ownSocket}`,
      `--containerd=${at('containerd.sock')}`,
      `--data-root=${at('data')}`,
      `--exec-root=${at('exec')}`,
      `--pidfile=${at('docker.pid')}`,
      // Of its own: with `none` dockerd removes the host's docker0, which another daemon builds in.
      `--bridge=${this.#bridge}`,
      '--iptables=false',
      ...(this.#liveRestore ? ['--live-restore'] : []),
    ]);
    const answers = () =>
      this.docker.ping().then(
        () => true,
        () => false,
      );
    await waitUntil('dockerd to answer', answers, { timeoutMs: START_MS });
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

async function processIds(): Promise<number[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
}

async function descendantsOf(ancestors: readonly number[]): Promise<number[]> {
  const parents = new Map<number, number>();
  for (const pid of await processIds()) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    parents.set(pid, Number(/^PPid:\s*(\d+)/m.exec(status)?.[1] ?? 0));
  }
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid) ?? 0;
    return ancestors.includes(parent) || (parent > 1 && isBelow(parent));
  };
  return [...parents.keys()].filter(isBelow);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended with its parent.
  }
}
