import { CannotStart } from '../../internal/host/cannot-start.ts';
import type { DockerSocket } from '../../internal/host/docker-socket.ts';
import {
  hasContainer,
  removeContainer,
  TraefikContainer,
  type TraefikContainerOptions,
} from '../../internal/host/traefik-container.ts';
import { awaitAnswer } from './await-answer.ts';
import type { Part } from './part.ts';
import type { Reporter } from './report.ts';
import type { RunRecord } from './run-record.ts';

/** Traefik from its image. Docker restarts it; only when the container itself is gone is it ours to bring back. */
export class TraefikContainerPart implements Part {
  readonly name = 'Traefik';
  readonly #docker: DockerSocket;
  readonly #container: TraefikContainer;
  readonly #detail: string;
  readonly #isUp: () => Promise<boolean>;
  readonly #record: RunRecord;
  readonly #report: Reporter;
  #id: Promise<string> | null = null;

  constructor(options: {
    docker: DockerSocket;
    container: TraefikContainerOptions;
    detail: string;
    isUp: () => Promise<boolean>;
    record: RunRecord;
    report: Reporter;
  }) {
    this.#docker = options.docker;
    this.#container = new TraefikContainer(options.docker, options.container);
    this.#detail = options.detail;
    this.#isUp = options.isUp;
    this.#record = options.record;
    this.#report = options.report;
  }

  async start(): Promise<string> {
    const id = await this.#create();
    await awaitAnswer(this.#isUp, (isOver) =>
      isOver ? new CannotStart(`Traefik's container did not answer; see: docker logs ${id}`) : null,
    );
    return this.#detail;
  }

  async tend(): Promise<void> {
    if (this.#id === null || (await hasContainer(this.#docker, await this.#id))) return;
    this.#report({ kind: 'event', text: "traefik's container is gone; starting it again" });
    await this.#create();
  }

  async stop(): Promise<void> {
    const id = await this.#id?.catch(() => null);
    if (id) await removeContainer(this.#docker, id);
  }

  async #create(): Promise<string> {
    this.#id = this.#container.start();
    const id = await this.#id;
    this.#record.set({ traefikContainerId: id });
    return id;
  }
}
