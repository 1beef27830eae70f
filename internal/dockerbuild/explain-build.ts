import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { buildFailure } from './build-failure.ts';
import type { PlatformLimits } from './build-options.ts';
import type { BuildTranscript } from './build-transcript.ts';
import type { BuildWatch } from './build-watch.ts';
import type { BuildKitBox } from './buildkit-box.ts';
import type { DaemonWatch } from './daemon-watch.ts';

interface Witnesses {
  readonly daemon: DaemonWatch;
  readonly watch: BuildWatch;
  readonly box: BuildKitBox | null;
}

/** Why a build ended badly, by what it said and by what was seen of it meanwhile. */
export async function explain(
  transcript: BuildTranscript,
  { limits, ...seen }: Witnesses & { readonly limits: PlatformLimits },
): Promise<DeploymentFailed> {
  const error = { message: '', exitCode: null, ...transcript.error, step: transcript.step };
  if (error.exitCode === 137 && !(await seen.daemon.isUnbroken())) {
    return new DeploymentFailed('docker_unavailable', 'The Docker daemon was stopped during the build.');
  }
  return buildFailure({ ...error, hitLimit: hitLimit(transcript, seen) }, limits);
}

function hitLimit(
  transcript: BuildTranscript,
  { daemon, watch, box }: Witnesses,
): 'memory' | 'processes' | null {
  const step = watch.latestStep;
  const containerId = box ? box.containerId : step?.id;
  if (containerId !== undefined && daemon.ranOutOfMemory(containerId)) return 'memory';
  const hasLimit = box !== null || step?.isLimited === true;
  return step?.wasCrowded || (hasLimit && transcript.couldNotFork) ? 'processes' : null;
}
