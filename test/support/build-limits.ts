import type { PlatformLimits } from '../../internal/dockerbuild/build-options.ts';
import type { DiskProbe } from '../../internal/engine/ports.ts';

/** Limits that no build of a test reaches, unless it is about them. */
export const TEST_LIMITS: PlatformLimits = {
  timeoutSeconds: 120,
  silenceSeconds: 120,
  memoryMb: 512,
  cpus: 1,
  pids: 1000,
  diskMb: 1024,
  contextMaxMb: 64,
  freeDiskMb: 0,
};

/** A disk with that much free. */
export function diskWith(freeBytes: () => number): DiskProbe {
  return {
    read: () => Promise.resolve({ path: '/', freeBytes: freeBytes(), totalBytes: Number.MAX_SAFE_INTEGER }),
  };
}

export const ROOMY_DISK = diskWith(() => Number.MAX_SAFE_INTEGER);
