import { join } from 'node:path';
import { TRAEFIK_ENVIRONMENT, type TraefikOptions, writeTraefikFiles } from '../../internal/host/traefik.ts';
import { ProductProcess } from './child-process.ts';
import { httpRequest } from './http-request.ts';
import { waitUntil } from './wait-until.ts';

/** What the tests read of a router in Traefik's own API. */
export interface TraefikRouter {
  readonly name: string;
  readonly rule: string;
  readonly priority: number;
  readonly service: string;
  readonly status: string;
  readonly provider: string;
}

/** A real Traefik with the product's own configuration, as a process. */
export class TestTraefik {
  readonly #spawn: () => ProductProcess;
  readonly #apiPort: number;
  #process: ProductProcess;

  private constructor(spawn: () => ProductProcess, apiPort: number) {
    this.#spawn = spawn;
    this.#apiPort = apiPort;
    this.#process = spawn();
  }

  get process(): ProductProcess {
    return this.#process;
  }

  /** @throws when `BERTH_TEST_TRAEFIK`, the path of the binary, is not set: `bin/test` sets it. */
  static async start(
    options: TraefikOptions & { checkout: string; directory: string; binary?: string },
  ): Promise<TestTraefik> {
    const command = options.binary ?? process.env['BERTH_TEST_TRAEFIK'];
    if (!command)
      throw new Error('Set BERTH_TEST_TRAEFIK to a Traefik binary, or run the tests by bin/test.');
    const file = writeTraefikFiles(options.checkout, options.directory, options);
    const spawn = () =>
      new ProductProcess({
        name: 'traefik',
        command,
        args: [`--configFile=${file}`],
        environment: { ...TRAEFIK_ENVIRONMENT, PATH: process.env['PATH'] ?? '' },
        cwd: options.directory,
        logFile: join(options.directory, 'traefik.log'),
      });
    const traefik = new TestTraefik(spawn, options.apiPort);
    await traefik.#untilUp();
    return traefik;
  }

  /** After it was killed, with the same configuration on the same ports. */
  async startAgain(): Promise<void> {
    this.#process = this.#spawn();
    await this.#untilUp();
  }

  async #untilUp(): Promise<void> {
    await waitUntil('Traefik to answer', () => this.isUp(), { explain: () => this.process.tail });
  }

  async isUp(): Promise<boolean> {
    if (!this.process.isRunning) throw new Error(`Traefik ended at once\n${this.process.tail}`);
    return httpRequest({ port: this.#apiPort, path: '/api/overview' }).then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  /** Routers of the docker provider. */
  async routers(): Promise<TraefikRouter[]> {
    const { body } = await httpRequest({ port: this.#apiPort, path: '/api/http/routers?per_page=1000' });
    return (JSON.parse(body) as TraefikRouter[]).filter(({ provider }) => provider === 'docker');
  }
}
