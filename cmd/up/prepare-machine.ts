import type { StartSettings } from '../../internal/config/start-settings.ts';
import { DockerSocket } from '../../internal/host/docker-socket.ts';
import { type HostPreparation, prepareDocker, prepareTools } from '../../internal/host/prepare-host.ts';
import type { Progress } from './progress.ts';

/**
 * Docker answers and the programs of the host are here afterwards: how `bin/up` and `bin/test` begin. What is written on
 * the way, such as a daemon's log, goes to `dataDir`.
 */
export async function prepareMachine(
  settings: StartSettings,
  dataDir: string,
  progress: Progress,
): Promise<HostPreparation> {
  const host: HostPreparation = {
    docker: new DockerSocket(settings.dockerHost),
    dataDir,
    environment: settings.environment,
    confirm: (question) => progress.confirm(question),
    say: (text) => progress.note(text),
  };
  await progress.step(
    'Docker',
    () => prepareDocker(host),
    (version) => `engine ${version}`,
  );
  await progress.step(
    'tools',
    () => prepareTools(host),
    (names) => names.join(', '),
  );
  return host;
}
