import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StartSettings } from '../../internal/config/start-settings.ts';
import { askHttp } from '../../internal/host/ask-http.ts';
import { DockerSocket } from '../../internal/host/docker-socket.ts';
import { LogFile } from '../../internal/host/log-file.ts';
import { type ProcessEvents, SupervisedProcess } from '../../internal/host/supervised-process.ts';
import { TRAEFIK_ENVIRONMENT, writeTraefikFiles } from '../../internal/host/traefik.ts';
import { apiAuthority, platformHost, traefikApiPort } from './addresses.ts';
import type { Part } from './part.ts';
import { ProgramPart } from './program-part.ts';
import type { Reporter } from './report.ts';
import type { RunRecord } from './run-record.ts';
import { TraefikContainerPart } from './traefik-container-part.ts';

const GRACE_MS = 12_000;

/** Traefik as a process where a program is set (or was built), else as a container; its configuration is written here. */
export function traefikPart(
  options: { settings: StartSettings; httpPort: number; checkout: string },
  tell: { record: RunRecord; report: Reporter; events: ProcessEvents },
): Part {
  const { settings, httpPort } = options;
  const instance = readInstance(settings.dataDir);
  const directory = join(settings.dataDir, 'traefik');
  const apiPort = traefikApiPort(settings);
  const configFile = writeTraefikFiles(options.checkout, directory, {
    instance,
    httpPort,
    apiPort,
    dockerHost: settings.dockerHost,
    platformHost: platformHost(settings),
    apiAddress: apiAuthority(settings),
    fallbackPort: settings.fallbackPort,
  });
  const isUp = async () =>
    (await askHttp({ address: '127.0.0.1', port: apiPort, path: '/api/version' }))?.status === 200;

  if (settings.traefikBinary === null) {
    return new TraefikContainerPart({
      docker: new DockerSocket(settings.dockerHost),
      container: { image: settings.traefikImage, instance, directory, configFile },
      detail: `${settings.traefikImage}, port ${httpPort}`,
      isUp,
      ...tell,
    });
  }
  const plan = {
    name: 'traefik',
    command: settings.traefikBinary,
    args: [`--configFile=${configFile}`],
    directory,
    // Traefik needs nothing of our environment, and would read TRAEFIK_* as its own configuration.
    environment: { ...TRAEFIK_ENVIRONMENT, PATH: settings.environment['PATH'] },
    graceMs: GRACE_MS,
  };
  const process = new SupervisedProcess(plan, new LogFile(settings.dataDir, 'traefik'), tell.events);
  return new ProgramPart(process, { name: 'Traefik', detail: `port ${httpPort}`, isUp });
}

/** The API has made it at its first start and written it down. */
function readInstance(dataDir: string): string {
  return readFileSync(join(dataDir, 'instance'), 'utf8').trim();
}
