import { type EngineVersion, judgeEngine } from './engine-support.ts';

/** What was found out about Docker on this machine. */
export interface DockerFacts {
  /** The engine's versions, or why it did not answer (`ENOENT`, `ECONNREFUSED`, `EACCES`, …). */
  readonly answer: EngineVersion | { readonly error: string };
  readonly socketPath: string;
  readonly hasDaemonProgram: boolean;
  readonly isDebianLike: boolean;
  readonly isRoot: boolean;
  readonly hasSystemd: boolean;
}

export type DockerRemedy =
  /** `note`: one line for who starts it, when the engine is newer than known. */
  | { readonly kind: 'ready'; readonly version: string; readonly note: string | null }
  | { readonly kind: 'install' }
  | { readonly kind: 'start-service' }
  | { readonly kind: 'start-daemon' }
  /** One line: what is missing and how to get it. */
  | { readonly kind: 'impossible'; readonly line: string };

const DEFAULT_SOCKETS = ['/var/run/docker.sock', '/run/docker.sock'];

/** From facts to the one thing to do next. */
export function chooseDockerRemedy(facts: DockerFacts): DockerRemedy {
  if ('version' in facts.answer) return judgeVersion(facts.answer);
  if (facts.answer.error === 'EACCES') {
    return impossible(
      `This user may not use Docker at ${facts.socketPath}: add it to the group docker (sudo usermod -aG docker $USER, then sign in again), or run as root.`,
    );
  }
  if (!DEFAULT_SOCKETS.includes(facts.socketPath)) {
    return impossible(`No Docker daemon answers at ${facts.socketPath}: start it, or correct DOCKER_HOST.`);
  }
  if (!facts.hasDaemonProgram) {
    if (facts.isDebianLike && facts.isRoot) return { kind: 'install' };
    return impossible(
      facts.isDebianLike
        ? 'Docker Engine is missing: sudo apt-get install docker.io iptables (or run bin/up as root, which does it).'
        : 'Docker Engine is missing: install version 20.10 or newer, see https://docs.docker.com/engine/install/',
    );
  }
  if (!facts.isRoot) return impossible('The Docker daemon does not run: sudo systemctl start docker');
  return { kind: facts.hasSystemd ? 'start-service' : 'start-daemon' };
}

function judgeVersion(engine: EngineVersion): DockerRemedy {
  const judgement = judgeEngine(engine);
  if (judgement.kind === 'too-old') return impossible(judgement.line);
  return { kind: 'ready', version: engine.version, note: judgement.kind === 'newer' ? judgement.line : null };
}

function impossible(line: string): DockerRemedy {
  return { kind: 'impossible', line };
}
