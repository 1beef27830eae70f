import { join } from 'node:path';
import type { StartSettings } from '../../internal/config/start-settings.ts';
import { chooseHttpPort, requireFreePort } from '../../internal/host/choose-ports.ts';
import { loadOrMakeSecrets } from '../../internal/host/data-dir.ts';
import type { HostPreparation } from '../../internal/host/prepare-host.ts';
import { commitSample } from '../../internal/host/sample-repository.ts';
import { buildTraefik } from '../../internal/host/traefik-binary.ts';
import { traefikApiPort } from './addresses.ts';
import { chooseNodeImage, rememberedNodeImage } from './choose-node-image.ts';
import type { UpOptions } from './options.ts';
import { prepareMachine } from './prepare-machine.ts';
import type { Progress } from './progress.ts';

const LOOPBACK = '127.0.0.1';

interface Start {
  readonly settings: StartSettings;
  readonly options: UpOptions;
  readonly checkout: string;
  readonly progress: Progress;
}

/** All that is checked, installed, built or chosen before anything is started. @returns the supervisor's environment */
export async function prepare(start: Start): Promise<Readonly<Record<string, string | undefined>>> {
  const { settings, progress } = start;
  const host = await prepareMachine(settings, settings.dataDir, progress);
  loadOrMakeSecrets(settings.dataDir);
  const httpPort = await progress.step('ports', () => choosePorts(start), describePorts(settings));
  const traefikBinary = await progress.step(
    'Traefik program',
    () => findTraefik(settings, host),
    (binary) => binary ?? settings.traefikImage,
  );
  const nodeImage = await findNodeImage(start, host);
  return {
    ...settings.environment,
    DATA_DIR: settings.dataDir,
    HTTP_PORT: String(httpPort.port),
    ...(traefikBinary === null ? {} : { TRAEFIK_BINARY: traefikBinary }),
    ...(nodeImage === null ? {} : { NODE_IMAGE: nodeImage }),
  };
}

/** Puts the folder `sample/` as it is now into the repository that is served. */
export function commitSampleFolder(settings: StartSettings, checkout: string): Promise<void> {
  return commitSample(join(checkout, 'sample'), settings.dataDir, settings.environment);
}

async function choosePorts({ settings }: Start): Promise<{ port: number; reason: string | null }> {
  await requireFreePort(settings.apiPort, settings.apiAddress, 'PORT=<port>');
  await requireFreePort(settings.fallbackPort, LOOPBACK, 'FALLBACK_PORT=<port>');
  await requireFreePort(traefikApiPort(settings), LOOPBACK, `TRAEFIK_API_URL=http://${LOOPBACK}:<port>`);
  await requireFreePort(settings.sampleGitPort, LOOPBACK, 'SAMPLE_GIT_PORT=<port>');
  return chooseHttpPort(settings.httpPort);
}

function describePorts(settings: StartSettings) {
  return ({ port, reason }: { port: number; reason: string | null }) =>
    `API ${settings.apiPort}, apps ${port}${reason === null ? '' : ` (${reason}; HTTP_PORT sets another one)`}`;
}

/** A finished binary, else the image where it can be had (null), else a binary of our own. */
async function findTraefik(settings: StartSettings, host: HostPreparation): Promise<string | null> {
  if (settings.traefikBinary !== null) return settings.traefikBinary;
  if (!(await host.docker.hasImage(settings.traefikImage))) host.say(`pulling ${settings.traefikImage}`);
  if (await host.docker.pull(settings.traefikImage)) return null;
  return buildTraefik({ ...host, cacheDir: settings.cacheDir });
}

async function findNodeImage({ settings, options, checkout, progress }: Start, host: HostPreparation) {
  if (!options.sample) return rememberedNodeImage(settings, host.docker);
  return progress.step(
    'sample repository and base image',
    async () => {
      await commitSampleFolder(settings, checkout);
      return chooseNodeImage(settings, host.docker, (text) => host.say(text));
    },
    (image) => image ?? 'the default',
  );
}
