import { describe, expect, test } from '@jest/globals';
import type { StartRequest } from '../engine/ports.ts';
import { containerSpec } from './container-spec.ts';

const REQUEST: StartRequest = {
  ref: {
    deploymentId: 'dabcdefgh2',
    attempt: 2,
    appId: 'aabcdefgh2',
    appName: 'blog',
    projectId: 'pabcdefgh2',
    ownerHash: 'u2345a',
  },
  replica: 1,
  containerName: 'blog-dabcdefgh2-2',
  imageId: 'sha256:0123',
  port: 3000,
  network: { name: 'u2345a-default', subnet: '10.89.1.0/24' },
  address: '10.89.1.7',
  alias: 'blog',
  environment: { GREETING: 'a=b "c" $d\n#' },
  command: null,
  limits: { memoryMb: 512, cpus: 0.5, pids: 512 },
  routingLabels: { 'traefik.enable': 'true' },
  gate: 'closed',
};
const PLACEMENT = { instanceId: 'iabcdefgh2', gateFolder: '/data/gate/dabcdefgh2-2-1' };
const spec = (change: Partial<StartRequest> = {}) => containerSpec({ ...REQUEST, ...change }, PLACEMENT);

test.each<[string, Partial<StartRequest>, object]>([
  ['name and image', {}, { name: 'blog-dabcdefgh2-2', Image: 'sha256:0123' }],
  ['PORT is given', { environment: {} }, { Env: ['PORT=3000'] }],
  ['PORT of the user wins', { environment: { PORT: '80' } }, { Env: ['PORT=80'] }],
  ['values pass byte for byte', {}, { Env: ['PORT=3000', 'GREETING=a=b "c" $d\n#'] }],
  ['a command is given as it is', { command: ['node', 'a b'] }, { Cmd: ['node', 'a b'] }],
  [
    'address and alias are those of the project network',
    {},
    {
      NetworkingConfig: {
        EndpointsConfig: {
          'u2345a-default': { IPAMConfig: { IPv4Address: '10.89.1.7' }, Aliases: ['blog'] },
        },
      },
    },
  ],
])('%s', (_, change, expected) => {
  expect(spec(change)).toMatchObject(expected);
});

test('without a command the image decides what runs', () => {
  expect(spec()).not.toHaveProperty('Cmd');
  expect(spec()).not.toHaveProperty('Entrypoint');
  expect(spec()).not.toHaveProperty('StopSignal');
});

test('T31: a start request makes exactly these host options', () => {
  expect(spec().HostConfig).toEqual({
    Privileged: false,
    CapDrop: ['ALL'],
    CapAdd: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETGID', 'SETUID', 'KILL', 'NET_BIND_SERVICE'],
    SecurityOpt: ['no-new-privileges:true'],
    Init: true,
    IpcMode: 'private',
    NetworkMode: 'u2345a-default',
    PublishAllPorts: false,
    Mounts: [
      {
        Type: 'bind',
        Source: '/data/gate/dabcdefgh2-2-1',
        Target: '/.berth',
        ReadOnly: true,
        BindOptions: { Propagation: 'rprivate' },
      },
    ],
    Memory: 536_870_912,
    MemorySwap: 536_870_912,
    NanoCpus: 500_000_000,
    PidsLimit: 512,
    Ulimits: [{ Name: 'core', Soft: 0, Hard: 0 }],
    LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
    RestartPolicy: { Name: 'no' },
  });
});

test('T38: the health check is ours, a single exec that may wait for two hours', () => {
  expect(spec().Healthcheck).toEqual({
    Test: ['CMD', '/.berth/busybox', 'sh', '/.berth/check'],
    Interval: 300_000_000,
    Timeout: 7_200_000_000_000,
    StartPeriod: 0,
    Retries: 10,
  });
});

describe('labels', () => {
  test('tell whose the container is, beside those of routing', () => {
    expect(spec().Labels).toEqual({
      'traefik.enable': 'true',
      'berth.instance': 'iabcdefgh2',
      'berth.app': 'aabcdefgh2',
      'berth.app-name': 'blog',
      'berth.deployment': 'dabcdefgh2',
      'berth.attempt': '2',
      'berth.replica': '1',
      'berth.port': '3000',
      'berth.project': 'pabcdefgh2',
      'berth.owner': 'u2345a',
    });
  });

  test('of routing cannot change whose it is', () => {
    const { Labels } = spec({ routingLabels: { 'berth.instance': 'someone else' } });
    expect(Labels?.['berth.instance']).toBe('iabcdefgh2');
  });
});
