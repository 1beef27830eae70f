import type Dockerode from 'dockerode';
import { execInContainer } from '../../internal/dockerrun/exec-in-container.ts';

/** Why no connection came about, or that one did. */
export type Reached = 'connected' | 'refused' | 'no answer' | 'no such name' | (string & {});

/** For Node: prints one word for each `[host, port]` of its argument. */
export const CONNECT = `
const { connect } = require('node:net');
const WORDS = { ECONNREFUSED: 'refused', ENOTFOUND: 'no such name', EAI_AGAIN: 'no such name' };
const ask = ([host, port]) => new Promise((told) => {
  const socket = connect({ host, port, timeout: 2000 });
  const end = (word) => { told(word); socket.destroy(); };
  socket.on('connect', () => end('connected'));
  socket.on('timeout', () => end('no answer'));
  socket.on('error', ({ code }) => end(WORDS[code] ?? code));
});
Promise.all(JSON.parse(process.argv.at(-1)).map(ask)).then((words) => console.log(JSON.stringify(words)));
`;

const FETCH = `
fetch(process.argv[1], { signal: AbortSignal.timeout(5000) })
  .then(async (answer) => ({ status: answer.status, body: await answer.text() }))
  .then((answer) => console.log(JSON.stringify(answer)), (error) => console.log(JSON.stringify(String(error.cause ?? error))));
`;

/** `host:port` in two. */
export function pairsOf(targets: readonly string[]): [host: string, port: number][] {
  return targets.map((target) => {
    const [host = '', port] = target.split(':');
    return [host, Number(port)];
  });
}

/** What a process inside a container of a Node image reaches: the view of a tenant. */
export class Inside {
  readonly #container: Dockerode.Container;

  constructor(docker: Dockerode, containerId: string) {
    this.#container = docker.getContainer(containerId);
  }

  /** Opens a TCP connection to each `host:port`, all at once. */
  async connect(targets: readonly string[]): Promise<Record<string, Reached>> {
    const words = (await this.#node(CONNECT, JSON.stringify(pairsOf(targets)))) as readonly Reached[];
    return Object.fromEntries(targets.map((target, index) => [target, words[index] ?? 'not asked']));
  }

  /** Status and body, or the error in words. */
  fetch(url: string): Promise<unknown> {
    return this.#node(FETCH, url);
  }

  async #node(script: string, argument: string): Promise<unknown> {
    return JSON.parse(await execInContainer(this.#container, ['node', '-e', script, argument]));
  }
}
