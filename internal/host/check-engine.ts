import type { Clock } from '../clock/clock.ts';
import type { PlatformWarning } from '../errors/platform-warnings.ts';
import type { Logger } from '../logger/logger.ts';
import { CannotStart } from './cannot-start.ts';
import type { DockerSocket } from './docker-socket.ts';
import { type EngineVersion, judgeEngine, warningsOf } from './engine-support.ts';

const ASK_AGAIN_MS = 1_000;

/**
 * What the worker finds out about Docker before it works with it: waits until the daemon answers, and advises what the
 * operator would want to know. Returns at once when the signal is aborted.
 * @throws CannotStart in one sentence, when this engine is too old
 */
export async function checkEngine(
  docker: DockerSocket,
  { clock, logger, signal }: { clock: Clock; logger: Logger; signal: AbortSignal },
): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    const found = await ask(docker).catch((error: unknown) => {
      if (attempt === 0) logger.warn({ err: error }, 'Docker does not answer; waiting for it');
      return null;
    });
    if (found !== null) return judge(found, logger);
    await clock.sleep(ASK_AGAIN_MS, signal).catch(() => undefined);
  }
}

/** What `/health` tells of it, each once. @throws DockerUnreachable */
export async function findEngineWarnings(docker: DockerSocket): Promise<PlatformWarning[]> {
  const warnings = warningsOf(await docker.version());
  return [...new Set(warnings.map(({ code }) => code))];
}

interface Engine extends EngineVersion {
  readonly hasLiveRestore: boolean;
}

async function ask(docker: DockerSocket): Promise<Engine> {
  const version = await docker.version();
  const info = await docker.json<{ LiveRestoreEnabled?: boolean }>({
    method: 'GET',
    path: '/info',
    idleMs: 10_000,
  });
  return { ...version, hasLiveRestore: info.LiveRestoreEnabled ?? false };
}

function judge({ hasLiveRestore, ...engine }: Engine, logger: Logger): void {
  const judgement = judgeEngine(engine);
  if (judgement.kind === 'too-old') throw new CannotStart(judgement.line);
  if (judgement.kind === 'newer') logger.warn(engine, judgement.line);
  else logger.info(engine, 'Docker answers');
  for (const { code, line } of warningsOf(engine)) logger.warn({ warning: code }, line);
  if (!hasLiveRestore) {
    logger.warn(
      'apps go down with the Docker daemon; put "live-restore": true into /etc/docker/daemon.json and reload it (systemctl reload docker)',
    );
  }
}
