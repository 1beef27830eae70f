import { execFile, spawn } from 'node:child_process';
import { closeSync, cpSync, openSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseEnv, promisify } from 'node:util';
import Dockerode from 'dockerode';

const CHECKOUT = resolve(import.meta.dirname, '../..');
const NOT_COPIED = /^(node_modules|dist|coverage|\.git|bench\/out|internal\/db\/generated|\.env)(\/|$)/;
const LIMIT_MS = 400_000;

export interface ComposeAnswer {
  readonly code: number;
  readonly output: string;
}

/** A copy of the checkout, run by the real compose plugin under a project name of its own. */
export class ComposeProject {
  readonly name: string;
  readonly folder: string;
  readonly docker = new Dockerode();

  constructor(options: { name: string; folder: string }) {
    this.name = options.name;
    this.folder = options.folder;
    cpSync(CHECKOUT, this.folder, {
      recursive: true,
      filter: (path) => !NOT_COPIED.test(relative(CHECKOUT, path)),
    });
  }

  get envFile(): string {
    return join(this.folder, '.env');
  }

  env(): Readonly<Record<string, string | undefined>> {
    return parseEnv(readFileSync(this.envFile, 'utf8'));
  }

  /** `bin/secrets > .env`, as a person does it. */
  async makeSecrets(): Promise<void> {
    const file = openSync(this.envFile, 'w', 0o644);
    const child = spawn(join(this.folder, 'bin/secrets'), { stdio: ['ignore', file, 'inherit'] });
    const code = await new Promise((ended) => child.once('exit', ended));
    closeSync(file);
    if (code !== 0) throw new Error(`bin/secrets ended with code ${String(code)}`);
  }

  /** `docker compose …`; whatever its exit code. The plugin by itself is the same program, and needs no Docker client. */
  async run(...args: string[]): Promise<ComposeAnswer> {
    const binary = process.env['BERTH_TEST_COMPOSE'];
    if (!binary) throw new Error('BERTH_TEST_COMPOSE must name the compose plugin; bin/test sets it');
    const options = {
      cwd: this.folder,
      // Nothing of the person's own environment, which compose would let win over .env.
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
      timeout: LIMIT_MS,
      maxBuffer: 1 << 26,
    };
    try {
      const { stdout, stderr } = await promisify(execFile)(binary, ['-p', this.name, ...args], options);
      return { code: 0, output: stdout + stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
      return { code: typeof code === 'number' ? code : -1, output: `${stdout}${stderr}` };
    }
  }

  /** @throws with compose's words when it fails */
  async must(...args: string[]): Promise<string> {
    const { code, output } = await this.run(...args);
    if (code !== 0) throw new Error(`docker compose ${args.join(' ')} ended with code ${code}:\n${output}`);
    return output;
  }

  async container(service: string): Promise<Dockerode.ContainerInspectInfo> {
    const label = [...this.#labels, `com.docker.compose.service=${service}`];
    const [found] = await this.docker.listContainers({ all: true, filters: { label } });
    if (found === undefined) throw new Error(`there is no container of ${service}`);
    return this.docker.getContainer(found.Id).inspect();
  }

  /** One line for each thing that compose has made and not removed. */
  async left(): Promise<string[]> {
    const filters = { label: this.#labels };
    const containers = await this.docker.listContainers({ all: true, filters });
    const networks = await this.docker.listNetworks({ filters });
    const { Volumes } = await this.docker.listVolumes({ filters: JSON.stringify(filters) });
    return [
      ...containers.map(({ Names }) => `container ${Names.join(' ')}`),
      ...networks.map(({ Name }) => `network ${Name}`),
      ...Volumes.map(({ Name }) => `volume ${Name}`),
    ];
  }

  get #labels(): string[] {
    return [`com.docker.compose.project=${this.name}`];
  }
}
