import { expect, test } from '@jest/globals';
import { boxName, buildCommand, buildEnvironment, buildKitContainer, trimCommand } from './buildkit-plan.ts';

const build = {
  tag: 'berth/web:dep1',
  labels: { 'berth.app': 'app1' },
  target: null,
  fresh: 'cached',
  secrets: { NPM_TOKEN: 'canary', PATH: '/elsewhere' },
} as const;

test('T22: a build is this argument list, with no value of a secret in it', () => {
  expect(buildCommand(build)).toEqual([
    'buildctl',
    'build',
    '--frontend=dockerfile.v0',
    '--local=context=/context',
    '--local=dockerfile=/dockerfile',
    '--progress=rawjson',
    '--opt=label:berth.app=app1',
    '--secret=id=NPM_TOKEN,env=BERTH_SECRET_NPM_TOKEN',
    '--secret=id=PATH,env=BERTH_SECRET_PATH',
    '--output=type=docker,name=berth/web:dep1,compression=uncompressed,dest=-',
  ]);
  expect(buildEnvironment(build)).toEqual(['BERTH_SECRET_NPM_TOKEN=canary', 'BERTH_SECRET_PATH=/elsewhere']);
});

test('a stage that is asked for is the target', () => {
  expect(buildCommand({ ...build, target: 'web' })).toContain('--opt=target=web');
});

test('a build anew takes nothing from the cache', () => {
  expect(buildCommand({ ...build, fresh: 'uncached' })).toContain('--no-cache');
  expect(buildCommand({ ...build, fresh: 'pulled' })).toContain('--no-cache');
});

test('what is left behind is kept small', () => {
  expect(trimCommand(100)).toEqual(['buildctl', 'prune', '--keep-storage=100']);
});

test('T21: the container has the limits of the build, one volume of its app, and nothing of the host', () => {
  const name = boxName('i1', 'app1');
  const limits = { memoryMb: 512, cpus: 1.5, pids: 100, timeoutSeconds: 900 };
  const labels = { 'berth.instance': 'i1', 'berth.app': 'app1' };
  const { HostConfig, ...rest } = buildKitContainer({
    name,
    image: 'buildkit:1',
    labels,
    limits,
    cgroups: 1,
  });
  expect(rest).toEqual({
    name: 'berth-build-i1-app1',
    Image: 'buildkit:1',
    Entrypoint: ['sleep', '960'],
    Cmd: [],
    WorkingDir: '/context',
    Labels: labels,
  });
  expect(HostConfig).toEqual({
    Init: true,
    CapAdd: ['SYS_ADMIN'],
    SecurityOpt: ['seccomp=unconfined', 'apparmor=unconfined', 'label=disable'],
    Memory: 536_870_912,
    MemorySwap: 536_870_912,
    CpuPeriod: 100_000,
    CpuQuota: 150_000,
    PidsLimit: 100,
    OomScoreAdj: 500,
    Mounts: [
      {
        Type: 'volume',
        Source: name,
        Target: '/var/lib/buildkit',
        VolumeOptions: { NoCopy: true, Labels: labels, DriverConfig: { Name: 'local', Options: {} } },
      },
    ],
  });
});
