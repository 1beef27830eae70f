import type { ContainerCreateOptions, HostConfig } from 'dockerode';
import type { StartRequest } from '../engine/ports.ts';
import { ownerLabels } from './container-labels.ts';

const MEGABYTE = 1024 * 1024;
const MILLISECOND_NS = 1_000_000;
const HOUR_NS = 3_600_000 * MILLISECOND_NS;

/** Where the gate folder appears in every container. */
export const GATE_MOUNT = '/.berth';

/**
 * What stays of root's powers: what ordinary images need to start as root and step down. Docker's other defaults
 * (NET_RAW, MKNOD, SYS_CHROOT, SETFCAP, SETPCAP, FSETID, AUDIT_WRITE) are what an attack wants and a web app does not.
 */
export const KEPT_CAPABILITIES = [
  'CHOWN', // entrypoints give a data folder to their user
  'DAC_OVERRIDE', // root reads and writes what it has given away
  'FOWNER', // … and changes its mode
  'SETGID', // step down: gosu, su-exec, nginx
  'SETUID',
  'KILL', // a root master signals its stepped-down workers
  'NET_BIND_SERVICE', // port 80, also as a file capability (caddy)
] as const;

/**
 * The health check of every container, ours whatever the image says (T38). A check that waits or holds is one long exec,
 * hence the time-out of two hours; ten failures in a row are about three seconds. See check-script.ts.
 */
const HEALTHCHECK = {
  Test: ['CMD', `${GATE_MOUNT}/busybox`, 'sh', `${GATE_MOUNT}/check`],
  Interval: 300 * MILLISECOND_NS,
  Timeout: 2 * HOUR_NS,
  StartPeriod: 0,
  Retries: 10,
};

export interface Placement {
  readonly instanceId: string;
  /** Absolute path on the host of this container's gate folder. */
  readonly gateFolder: string;
}

/**
 * A start request as Docker's create options. All privileges of an app's container are decided here and nowhere else
 * (T31, CIS Docker Benchmark section 5): nothing a user types becomes an option, only a value of one.
 */
export function containerSpec(request: StartRequest, placement: Placement): ContainerCreateOptions {
  const { network } = request;
  return {
    name: request.containerName,
    Image: request.imageId,
    ...(request.command === null ? {} : { Cmd: [...request.command] }),
    ...(request.entrypoint === undefined ? {} : { Entrypoint: [...request.entrypoint] }),
    Env: environment(request),
    Tty: false,
    Labels: {
      ...request.routingLabels,
      ...ownerLabels(placement.instanceId, request),
    },
    Healthcheck: HEALTHCHECK,
    HostConfig: hostConfig(request, placement.gateFolder),
    NetworkingConfig: {
      EndpointsConfig: {
        [network.name]: { IPAMConfig: { IPv4Address: request.address }, Aliases: [request.alias] },
      },
    },
  };
}

/** The gate folder, read-only: the one thing of the host that a container sees. */
export function gateMount(source: string): NonNullable<HostConfig['Mounts']> {
  return [
    {
      Type: 'bind',
      Source: source,
      Target: GATE_MOUNT,
      ReadOnly: true,
      BindOptions: { Propagation: 'rprivate' },
    },
  ];
}

function hostConfig({ limits, network }: StartRequest, gateFolder: string): HostConfig {
  const memory = limits.memoryMb * MEGABYTE;
  return {
    Privileged: false,
    CapDrop: ['ALL'],
    CapAdd: [...KEPT_CAPABILITIES],
    SecurityOpt: ['no-new-privileges:true'],
    Init: true,
    IpcMode: 'private', // its /dev/shm is new with every start, which check-script.ts relies on
    NetworkMode: network.name,
    PublishAllPorts: false,
    Mounts: gateMount(gateFolder),
    Memory: memory,
    MemorySwap: memory, // memory and swap together: equal means no swap
    NanoCpus: Math.round(limits.cpus * 1e9),
    PidsLimit: limits.pids,
    // Open files stay as the daemon has them: a limit above its own is refused where it lacks CAP_SYS_RESOURCE.
    Ulimits: [{ Name: 'core', Soft: 0, Hard: 0 }],
    LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
    RestartPolicy: { Name: 'no' },
  };
}

function environment(request: StartRequest): string[] {
  const values = { PORT: String(request.port), ...request.environment };
  return Object.entries(values).map(([name, value]) => `${name}=${value}`);
}
