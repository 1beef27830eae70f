import type { ReleaseConfig } from '../../internal/deployments/config-snapshot.ts';

/** The configuration of an app that has set nothing, but for what is given. */
export function releaseConfig(given: Partial<ReleaseConfig> = {}): ReleaseConfig {
  return {
    repoUrl: 'https://github.com/acme/shop',
    rootDirectory: '.',
    dockerfilePath: null,
    buildCommand: null,
    startCommand: null,
    framework: 'auto',
    outputDirectory: null,
    dockerTarget: null,
    releaseCommand: null,
    submodules: false,
    lfs: false,
    pidsLimit: 512,
    buildMemoryMb: null,
    buildTimeoutSeconds: null,
    buildSilenceSeconds: null,
    buildCpus: null,
    buildPids: null,
    buildDiskMb: null,
    port: null,
    healthCheckPath: null,
    replicas: 1,
    memoryMb: 512,
    cpus: 1,
    drainSeconds: 10,
    hosts: [],
    environment: [],
    ...given,
  };
}
