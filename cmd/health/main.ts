import { hostname } from 'node:os';
import { loadConfig } from '../../internal/config/load-config.ts';
import { hasWorkerHeartbeat } from '../../internal/db/worker-heartbeat.ts';
import { askHttp } from '../../internal/host/ask-http.ts';

/** Docker's health check in compose: exit code 0 when the program of this container, `api` or `worker`, is well. */
async function isHealthy(program: string | undefined): Promise<boolean> {
  const config = loadConfig();
  if (program === 'worker') return hasWorkerHeartbeat(config.databaseUrl, hostname());
  const answer = await askHttp({ address: '127.0.0.1', port: config.apiPort, path: '/health' });
  return answer?.status === 200;
}

try {
  process.exitCode = (await isHealthy(process.argv[2])) ? 0 : 1;
} catch (error) {
  // Docker keeps what a failed check says: docker inspect shows it.
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
}
