import { hostname } from 'node:os';
import { loadHealthSettings } from '../../internal/config/health-settings.ts';
import { askHttp } from '../../internal/host/ask-http.ts';

/** Docker's health check in compose: exit code 0 when the program of this container, `api` or `worker`, is well. */
async function isHealthy(program: string | undefined): Promise<boolean> {
  const { apiPort, databaseUrl } = loadHealthSettings();
  if (program === 'worker') {
    // Loaded only where it is needed: this runs twice a minute for ever.
    const { hasWorkerHeartbeat } = await import('../../internal/db/worker-heartbeat.ts');
    return hasWorkerHeartbeat(databaseUrl, hostname());
  }
  const answer = await askHttp({ address: '127.0.0.1', port: apiPort, path: '/health' });
  return answer?.status === 200;
}

try {
  process.exitCode = (await isHealthy(process.argv[2])) ? 0 : 1;
} catch (error) {
  // Docker keeps what a failed check says: docker inspect shows it.
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
}
