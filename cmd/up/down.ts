import { InvalidConfig } from '../../internal/config/load-config.ts';
import { loadStartSettings } from '../../internal/config/start-settings.ts';
import { stopOwnDaemon } from '../../internal/host/prepare-host.ts';
import { readRunState } from '../../internal/host/run-state.ts';
import { endAll } from './leftovers.ts';
import { Progress } from './progress.ts';

/** `bin/down`: ends what `bin/up` started for this DATA_DIR, and nothing else. */
const progress = new Progress();
try {
  const { dataDir, dockerHost } = loadStartSettings();
  const state = readRunState(dataDir);
  if (state === null) {
    progress.print(`Berth is not running (DATA_DIR ${dataDir}).`);
  } else {
    const work = () => endAll(state, dataDir, dockerHost);
    await progress.step('worker, Traefik, API and Postgres', work, () => 'ended');
    progress.print('Containers of apps run on, without a route until the next bin/up.');
  }
  if (await stopOwnDaemon(dataDir)) {
    progress.print(
      'The Docker daemon that bin/up had started is ended too; the containers run on without it.',
    );
  }
} catch (error) {
  progress.problem(
    error instanceof InvalidConfig ? error.message : `Not all could be ended: ${String(error)}`,
  );
  process.exitCode = 1;
}
