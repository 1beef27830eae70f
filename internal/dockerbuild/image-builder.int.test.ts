import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import Dockerode from 'dockerode';
import fc from 'fast-check';
import { ensureBusyboxImage, ensureNodeImage } from '../../test/support/base-image.ts';
import { BuildLab } from '../../test/support/build-lab.ts';
import { type BuildSettings, planBuild, READ_FILES } from '../engine/plan-build.ts';
import type { Line } from '../engine/ports.ts';
import { repositoryReader } from './read-repository.ts';

jest.setTimeout(90_000);

const lab = new BuildLab();
const { docker, instanceId, context } = lab;
const builder = lab.builder();
/** Of is-number 7.0.0, as every lock file has it. */
const IS_NUMBER =
  'sha512-41Cifkg6e8TylSpdtTpeLVMqvSBEVzTttHvERD741+pnZ8ANv0004MRL43QKPDlK9cGvNp6NZWZUBlbGXYxxng==';

/** The daemon is shared: a step of these tests is known by its words. */
const LONG_STEP = `: ${instanceId}; sleep 1234`;

let busybox = '';
let node = '';

beforeAll(async () => {
  [busybox, node] = [await ensureBusyboxImage(), await ensureNodeImage()];
}, 120_000);
afterEach(() => lab.emptyContext());
afterAll(async () => {
  await lab.close();
  expect(await builder.list({})).toEqual([]);
  expect(await ourStepContainers()).toEqual([]);
}, 120_000);

function settingsOf(nodeImage: string): BuildSettings {
  return {
    framework: 'auto',
    dockerfilePath: null,
    buildCommand: null,
    startCommand: null,
    outputDirectory: null,
    port: null,
    buildVariables: [],
    images: { node: nodeImage, python: 'none', go: 'none', static: 'none' },
  };
}

describe('a build', () => {
  test('by a Dockerfile gives a labelled image with its ports, and its lines', async () => {
    await repository({
      Dockerfile: `FROM ${busybox}
COPY . /app
RUN find /app -type f | sort; echo to-stderr >&2; printf 'no line end, ünï'
EXPOSE 9090 8080 53/udp
CMD ["sh"]`,
      'a.txt': 'a',
      'sub/b.txt': 'b',
      '.git/config': 'secret',
      '.dockerignore': '*.log\n',
      'x.log': '',
    });
    const { image, lines, request } = await lab.build();

    expect(image.exposedPorts).toEqual([8080, 9090]);
    expect(await builder.inspect(image.imageId)).toEqual(image);
    expect(lines).toContainEqual({ text: `Step 1/5 : FROM ${busybox}`, level: 'deploy' });
    expect(lines).toContainEqual({ text: 'to-stderr', stream: 'stderr' });
    expect(lines).toContainEqual({ text: 'no line end, ünï', stream: 'stdout' });
    expect(textsOf(lines).filter((text) => text.startsWith('/app'))).toEqual([
      '/app/.dockerignore',
      '/app/Dockerfile',
      '/app/a.txt',
      '/app/sub/b.txt',
    ]);
    const { Config } = await docker.getImage(image.imageId).inspect();
    expect(Config.Labels).toEqual({
      'berth.instance': instanceId,
      'berth.app': 'app1',
      'berth.app-name': 'web',
      'berth.deployment': request.ref.deploymentId,
      'berth.attempt': '1',
      'berth.project': 'project1',
      'berth.owner': 'abcdef',
    });
    expect(await builder.list({ appId: 'app1' })).toContainEqual(
      expect.objectContaining({
        imageId: image.imageId,
        deploymentId: request.ref.deploymentId,
        appId: 'app1',
      }),
    );
    expect(await builder.list({ appId: 'other' })).toEqual([]);
  });

  test('of a Node repository without a Dockerfile runs as a user, and keeps what built it out of the image', async () => {
    await repository({
      'package.json': JSON.stringify({
        name: 'sample',
        version: '1.0.0',
        scripts: { start: 'node server.js', build: 'node build.js' },
      }),
      'package-lock.json': JSON.stringify({
        name: 'sample',
        version: '1.0.0',
        lockfileVersion: 3,
        packages: { '': { name: 'sample', version: '1.0.0' } },
      }),
      'build.js': 'require("fs").writeFileSync("built.txt", "yes")',
      'server.js': `const fs = require('fs');
fs.accessSync('.', fs.constants.W_OK);
console.log(JSON.stringify([process.getuid(), process.env.NODE_ENV, fs.readdirSync('.').sort(), process.argv0]))`,
      'node_modules/stale/index.js': '',
    });
    const facts = await repositoryReader.read(context, {
      rootDirectory: '.',
      dockerfilePath: null,
      textsOf: READ_FILES,
    });
    const plan = planBuild(facts, settingsOf(node));
    if (plan.kind !== 'generated') throw new Error('There is no Dockerfile to find.');
    const { image } = await lab.build({ dockerfile: { generated: plan.dockerfile } });

    const output = await run(image.imageId);
    expect(JSON.parse(output)).toEqual([
      1000,
      'production',
      ['build.js', 'built.txt', 'package-lock.json', 'package.json', 'server.js'],
      'node',
    ]);
  }, 60_000);

  test.each([
    {
      name: 'pnpm',
      lock: ['pnpm-lock.yaml', "lockfileVersion: '9.0'\n\nimporters:\n\n  .: {}\n"],
      field: 'pnpm@9.15.4',
    },
    { name: 'yarn', lock: ['yarn.lock', '# yarn lockfile v1\n'], field: undefined },
    {
      name: 'yarn 4',
      lock: [
        'yarn.lock',
        // The header counts: an immutable install would write it.
        '# This file is generated by running "yarn install" inside your project.\n# Manual changes might be lost - proceed with caution!\n\n__metadata:\n  version: 8\n  cacheKey: 10c0\n\n"sample@workspace:.":\n  version: 0.0.0-use.local\n  resolution: "sample@workspace:."\n  languageName: unknown\n  linkType: soft\n',
      ],
      field: 'yarn@4.5.0',
    },
    {
      name: 'bun',
      lock: [
        'bun.lock',
        JSON.stringify({
          lockfileVersion: 1,
          workspaces: { '': { name: 'sample', dependencies: { 'is-number': '7.0.0' } } },
          packages: { 'is-number': ['is-number@7.0.0', '', {}, IS_NUMBER] },
        }),
      ],
      field: undefined,
      // Bun deletes a lock file in which there is nothing.
      dependencies: { 'is-number': '7.0.0' },
    },
  ])(
    'of a repository with the lock file of $name installs, builds and starts by it',
    async ({ name, lock, field, dependencies }) => {
      const [lockFile = '', text = ''] = lock;
      await repository({
        'package.json': JSON.stringify({
          name: 'sample',
          version: '1.0.0',
          packageManager: field,
          dependencies,
          scripts: { start: 'node server.js', build: 'node build.js' },
        }),
        [lockFile]: text,
        'build.js': 'require("fs").writeFileSync("built.txt", process.env.npm_config_user_agent ?? "")',
        'server.js':
          'console.log(JSON.stringify([process.getuid(), require("fs").readFileSync("built.txt", "utf8")]))',
      });
      const facts = await repositoryReader.read(context, {
        rootDirectory: '.',
        dockerfilePath: null,
        textsOf: READ_FILES,
      });
      const plan = planBuild(facts, settingsOf(node));
      if (plan.kind !== 'generated') throw new Error('There is no Dockerfile to find.');
      const { image } = await lab.build({ dockerfile: { generated: plan.dockerfile } });

      const [user, agent] = JSON.parse((await run(image.imageId)).trim().split('\n').at(-1) ?? '');
      expect(user).toBe(1000);
      expect(agent).toMatch(new RegExp(`^${name.split(' ')[0]}/`));
    },
    120_000,
  );

  test('of one stage of a Dockerfile has that stage, and our labels', async () => {
    await repository({
      Dockerfile: `FROM ${busybox} AS web\nRUN echo web > /which\nCMD ["cat", "/which"]\nFROM ${busybox}\nRUN false\n`,
    });
    const { image, lines, request } = await lab.build({ target: 'web' });
    expect((await run(image.imageId)).trim()).toBe('web');
    const { Config } = await docker.getImage(image.imageId).inspect();
    expect(Config.Labels).toMatchObject({
      'berth.deployment': request.ref.deploymentId,
      'berth.app': 'app1',
    });
    expect(textsOf(lines).filter((text) => /^Step \d+\/\d+ : /.test(text))).toEqual([
      `Step 1/3 : FROM ${busybox} AS web`,
      'Step 2/3 : RUN echo web > /which',
      'Step 3/3 : CMD ["cat", "/which"]',
    ]);
  });

  test('T68: waits with its output while there is no room for lines', async () => {
    await repository({ Dockerfile: `FROM ${busybox}\nRUN : ${Date.now()}; seq 1 20000\n` });
    const lines: Line[] = [];
    const numbersOf = () => textsOf(lines).filter((text) => /^\d+$/.test(text));
    let makeRoom = () => {};
    let waitedAt = Number.NaN;
    const room = async () => {
      if (numbersOf().length < 1_000 || !Number.isNaN(waitedAt)) return;
      waitedAt = lines.length;
      await new Promise<void>((resolve) => {
        makeRoom = resolve;
      });
    };
    const building = lab.build({}, { lines, room });
    while (Number.isNaN(waitedAt)) await delay(10);
    await delay(300);
    expect(lines).toHaveLength(waitedAt);
    makeRoom();
    await building;
    expect(numbersOf()).toEqual(Array.from({ length: 20_000 }, (_, index) => String(index + 1)));
  });

  test('that needs BuildKit gets it, and the log says so', async () => {
    const id = `mark-${instanceId}`;
    await repository({
      Dockerfile: `# syntax-like comment
FROM ${busybox}
RUN --mount=type=cache,target=/c echo ${id} && echo to-stderr >&2`,
    });
    const { image, lines } = await lab.build();
    expect(await builder.inspect(image.imageId)).toEqual(image);
    expect(textsOf(lines).join('\n')).toContain('Building with BuildKit, for RUN --mount:');
    expect(lines).toContainEqual({ text: id, stream: 'stdout' });
    expect(lines).toContainEqual({ text: 'to-stderr', stream: 'stderr' });

    await repository({ Dockerfile: `FROM ${busybox}\nRUN --mount=type=cache,target=/c sh -c "exit 7"` });
    const { error } = await lab.buildFails();
    expect(error).toMatchObject({ code: 'build_failed', evidence: { exitCode: 7 } });
    expect(String(error)).toContain('RUN --mount=type=cache,target=/c');

    await repository({ Dockerfile: `FROM berth-test/missing:1\nRUN --mount=type=tmpfs,target=/c true` });
    expect((await lab.buildFails()).error).toMatchObject({ code: 'base_image_unavailable' });
  }, 60_000);

  test('T19: with a cache mount does not see what another app left there', async () => {
    const file = `/c/${instanceId}`;
    await repository({ Dockerfile: `FROM ${busybox}\nRUN --mount=type=cache,target=/c touch ${file}` });
    await lab.build();
    await repository({
      Dockerfile: `FROM ${busybox}\nRUN --mount=type=cache,target=/c test ! -e ${file} #b`,
    });
    await lab.build({ appId: 'app2' });
    await repository({ Dockerfile: `FROM ${busybox}\nRUN --mount=type=cache,target=/c test -e ${file} #c` });
    await lab.build();
  }, 60_000);
});

describe('a build that fails names its cause', () => {
  test('a step that ends badly: the step and its exit code', async () => {
    await repository({ Dockerfile: `FROM ${busybox}\nRUN echo before; sh -c 'echo why >&2; exit 3'` });
    const { error, lines } = await lab.buildFails();
    expect(error).toMatchObject({ code: 'build_failed', evidence: { exitCode: 3 } });
    expect(String(error)).toContain(
      `The step "RUN echo before; sh -c 'echo why >&2; exit 3'" ended with exit code 3.`,
    );
    expect(lines).toContainEqual({ text: 'why', stream: 'stderr' });
    expect(lines.at(-1)).toMatchObject({ level: 'error' });
  });

  test('a base image that is not there', async () => {
    await repository({ Dockerfile: 'FROM berth-test/missing:1\n' });
    expect((await lab.buildFails()).error).toMatchObject({ code: 'base_image_unavailable' });
    await repository({ Dockerfile: `FROM ${busybox}\nCOPY --from=berth-test/missing:1 /a /a\n` });
    expect((await lab.buildFails()).error).toMatchObject({ code: 'base_image_unavailable' });
  });

  test('a Dockerfile that Docker cannot read', async () => {
    await repository({ Dockerfile: `FROM ${busybox}\nFOO bar\n` });
    const { error } = await lab.buildFails();
    expect(error).toMatchObject({ code: 'build_failed' });
    expect(String(error)).toContain('unknown instruction: FOO');
  });

  test('F25: memory: a step that is killed at the limit', async () => {
    await repository({ Dockerfile: `FROM ${busybox}\nRUN exec tail /dev/zero\n` });
    const { error } = await lab.buildFails({}, { limits: { memoryMb: 32 } });
    expect(error).toMatchObject({
      code: 'build_out_of_memory',
      evidence: { exitCode: 137, outOfMemory: true },
    });
    expect(String(error)).toContain('32 MB');
  });

  test('F29: time: the step ends with the build', async () => {
    await repository({ Dockerfile: `FROM ${busybox}\nRUN ${LONG_STEP}\n` });
    const { error } = await lab.buildFails({}, { limits: { timeoutSeconds: 2 } });
    expect(error).toMatchObject({ code: 'build_timeout', message: 'The build took longer than 2 seconds.' });
    await eventually(async () => (await ourStepContainers()).length === 0);
  });

  test('a context over the limit', async () => {
    await repository({ Dockerfile: `FROM ${busybox}\n`, big: '' });
    await truncate(join(context, 'big'), 3 * 1024 * 1024);
    const { error } = await lab.buildFails({}, { limits: { contextMaxMb: 2 } });
    expect(error).toMatchObject({ code: 'context_too_large' });
  });

  test('a daemon that is away', async () => {
    await repository({ Dockerfile: `FROM ${busybox}\n` });
    const away = new Dockerode({ socketPath: join(context, 'no.sock') });
    const { error } = await lab.buildFails({}, { docker: away });
    expect(error).toMatchObject({ code: 'docker_unavailable' });
  });
});

test('an aborted build rejects with the reason, and its step is gone within a minute', async () => {
  await repository({ Dockerfile: `FROM ${busybox}\nRUN ${LONG_STEP}\n` });
  const cancel = new AbortController();
  const reason = new Error('cancelled by a test');
  const building = lab.build({}, { signal: cancel.signal });
  await eventually(async () => (await ourStepContainers()).length === 1);
  cancel.abort(reason);
  await expect(building).rejects.toBe(reason);
  await eventually(async () => (await ourStepContainers()).length === 0);
}, 150_000);

test('M7: a failed build leaves no container of its step', async () => {
  const before = (await docker.listContainers({ all: true })).map(({ Id }) => Id);
  const mark = `mark-${instanceId}`;
  await repository({ Dockerfile: `FROM ${busybox}\nRUN : ${mark}; false\n` });
  await lab.buildFails();
  const after = await docker.listContainers({ all: true });
  expect(after.filter(({ Id, Command }) => !before.includes(Id) && Command.includes(mark))).toEqual([]);
});

describe('T27: labels that only the platform may give', () => {
  test.each([
    ['a route', 'LABEL traefik.http.routers.evil.rule="Host(`panel.localhost`)"'],
    ['in other letters', 'LABEL Traefik.Enable=true'],
    ['of compose', 'LABEL com.docker.compose.project=x'],
    ['one of ours that we do not set on images', 'LABEL berth.replica=7'],
  ])('%s: refused, and the image is gone', async (_, line) => {
    await repository({ Dockerfile: `FROM ${busybox}\n${line}\n` });
    const { error, request } = await lab.buildFails();
    expect(error).toMatchObject({ code: 'image_label_forbidden' });
    const { deploymentId } = request.ref;
    expect((await builder.list({})).filter((image) => image.deploymentId === deploymentId)).toEqual([]);
  });

  test('an image that calls itself another app’s is labelled as what it is', async () => {
    await repository({ Dockerfile: `FROM ${busybox}\nLABEL berth.app=victim traefiklike=fine\n` });
    const { image } = await lab.build();
    const { Config } = await docker.getImage(image.imageId).inspect();
    expect(Config.Labels).toMatchObject({ 'berth.app': 'app1', traefiklike: 'fine' });
  });
});

describe('T12: a hostile context fails with its own code, and costs the worker nothing', () => {
  const before = process.memoryUsage().rss;

  test.each([
    ['a link to /dev/zero', () => symlink('/dev/zero', join(context, '.dockerignore'))],
    ['10 MB long', () => writeFile(join(context, '.dockerignore'), 'x\n'.repeat(5 << 20))],
    ['a folder', () => mkdir(join(context, '.dockerignore'))],
  ])('a .dockerignore that is %s', async (_, make) => {
    await repository({ Dockerfile: `FROM ${busybox}\n` });
    await make();
    const { error } = await lab.buildFails();
    expect(error).toMatchObject({ code: 'context_invalid' });
    expect(String(error)).toContain('.dockerignore must be a regular file');
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
  });

  test('a file that vanishes while the context is packed', async () => {
    // The first file fills the pipe to the daemon, so that the second is gone long before it is reached.
    await repository({ Dockerfile: `FROM ${busybox}\n`, a: '', zz: 'gone soon' });
    await truncate(join(context, 'a'), 32 * 1024 * 1024);
    const { error } = await lab.buildFails(
      {},
      {
        onLine: ({ text }) => {
          if (text.startsWith('Sending')) void rm(join(context, 'zz'));
        },
      },
    );
    expect(error).toMatchObject({
      code: 'context_invalid',
      message: 'zz changed, or is gone, while it was packed.',
    });
  });

  test('300,000 files', async () => {
    // In memory: on a disk it takes longer to make and remove them than to count them.
    const contextDirectory = mkdtempSync('/dev/shm/berth-context-');
    try {
      writeFileSync(join(contextDirectory, 'Dockerfile'), `FROM ${busybox}\n`);
      writeFileSync(join(contextDirectory, 'file'), '');
      for (let n = 0; n < 300; n += 1) {
        const folder = join(contextDirectory, `folder-${n}`);
        mkdirSync(folder);
        for (let m = 0; m < 1000; m += 1) linkSync(join(contextDirectory, 'file'), join(folder, `${m}`));
      }
      const { error } = await lab.buildFails({ contextDirectory });
      expect(error).toMatchObject({
        code: 'context_too_large',
        message: 'The build context has more than 300000 files and folders.',
      });
      expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
    } finally {
      rmSync(contextDirectory, { recursive: true });
    }
  }, 120_000);

  // Root may read everything: the same case for whom it can fail.
  (process.getuid?.() === 0 ? test.skip : test)('a file that cannot be read', async () => {
    await repository({ Dockerfile: `FROM ${busybox}\n`, closed: 'x' });
    await chmod(join(context, 'closed'), 0);
    expect((await lab.buildFails()).error).toMatchObject({ code: 'context_invalid' });
  });
});

test.each(['../../etc/passwd', '/etc/passwd', 'a/../../b', 'C:\\x', 'Dockerfile\0', 'leak', 'sub/passwd'])(
  'T13: the Dockerfile path %j is refused without a path of the host',
  async (path) => {
    await repository({ Dockerfile: `FROM ${busybox}\n` });
    await symlink('/etc/passwd', join(context, 'leak'));
    await symlink('/etc', join(context, 'sub'));
    const { error } = await lab.buildFails({ dockerfile: { path } });
    expect(error).toMatchObject({ code: 'dockerfile_invalid' });
    expect(String(error)).not.toContain(context);
  },
);

test('T14: a link to a file of the host does not bring it into the image', async () => {
  await repository({
    Dockerfile: `FROM ${busybox}\nCOPY . /all\nRUN cat /all/kept #${instanceId}\nCOPY leak /\n`,
    real: 'fine',
  });
  await symlink('/etc/hostname', join(context, 'leak'));
  await symlink('../../../../../../etc/hostname', join(context, 'climbs'));
  await symlink('real', join(context, 'kept'));
  const { error, lines } = await lab.buildFails();
  expect(error).toMatchObject({ code: 'build_failed' });
  expect(textsOf(lines)).toContain('fine');
  expect(textsOf(lines)).toContain(
    'leak is left out of the build: the link points outside of the repository.',
  );
  expect(textsOf(lines)).toContain(
    'climbs is left out of the build: the link points outside of the repository.',
  );
  expect(textsOf(lines).filter((text) => text.includes(hostname()))).toEqual([]);
});

test('T18: an image of another app cannot be built from, by name or by id', async () => {
  await repository({ Dockerfile: `FROM ${busybox}\n` });
  const { image, request } = await lab.build();
  for (const name of [request.tag, image.imageId, image.imageId.slice('sha256:'.length, 19)]) {
    await repository({ Dockerfile: `FROM ${name}\n` });
    expect((await lab.buildFails()).error).toMatchObject({ code: 'dockerfile_invalid' });
  }
});

test('only images of this installation are removed, and removing twice is no error', async () => {
  const foreign = await docker.getImage(busybox).inspect();
  await builder.remove(foreign.Id);
  expect(await builder.inspect(foreign.Id)).not.toBeNull();

  await repository({ Dockerfile: `FROM ${busybox}\nRUN echo ${instanceId}\n` });
  const { image } = await lab.build();
  await builder.remove(image.imageId);
  await builder.remove(image.imageId);
  expect(await builder.inspect(image.imageId)).toBeNull();
});

async function repository(files: Readonly<Record<string, string>>): Promise<void> {
  await lab.emptyContext();
  await lab.write(files);
}

describe('A11: build variables', () => {
  const values = Object.fromEntries(
    fc
      .sample(fc.string({ unit: 'grapheme', maxLength: 120 }), { numRuns: 150, seed: 11 })
      .concat(['', ' ', '$HOME `id` $(id)', 'a\nb\r\n\n', '"\'\\', '\u{1f389}', 'x'.repeat(20_000)])
      .filter((value) => !value.includes('\0'))
      .map((value, index) => [`V_${index}`, value]),
  );
  const declared = `ARG ${Object.keys(values).join(' ')}`;

  /** What a step of the build had in its environment, byte by byte. */
  async function seenInBuild(imageId: string): Promise<Record<string, string>> {
    const container = await docker.createContainer({ Image: imageId, Cmd: ['cat', '/seen'] });
    try {
      const archive = await container.getArchive({ path: '/seen' });
      const bytes = await tarFile(archive);
      const entries = bytes
        .toString('utf8')
        .split('\0')
        .map((entry) => entry.split(/=(.*)/s));
      return Object.fromEntries(
        entries.filter(([name]) => name?.startsWith('V_')).map(([name, value]) => [name, value]),
      );
    } finally {
      await container.remove();
    }
  }

  test.each([
    ['the classic builder', ['RUN cat /proc/self/environ > /seen']],
    ['BuildKit', ['RUN --mount=type=tmpfs,target=/t cat /proc/self/environ > /seen']],
  ])('arrive byte-equal by %s, where the Dockerfile declares them', async (_name, lines) => {
    await repository({ Dockerfile: [`FROM ${busybox}`, declared, ...lines].join('\n') });
    const { image, lines: told } = await lab.build({
      buildArguments: { ...values, UNDECLARED: 'canary-value' },
    });
    expect(await seenInBuild(image.imageId)).toEqual(values);
    expect(textsOf(told)).toContain('Not given to the build, for no ARG declares them: UNDECLARED');
    expect(JSON.stringify(await docker.getImage(image.imageId).history())).not.toContain('canary-value');
    const { Config } = await docker.getImage(image.imageId).inspect();
    expect(Config.Env.filter((entry) => entry.startsWith('V_'))).toEqual([]);
  });

  test('of one app are not met in the cache by another', async () => {
    await repository({ Dockerfile: `FROM ${busybox}\nARG TOKEN\nRUN echo "$TOKEN" > /seen` });
    const first = await lab.build({ buildArguments: { TOKEN: 'one' } });
    const second = await lab.build({ buildArguments: { TOKEN: 'two' } });
    expect(second.image.imageId).not.toBe(first.image.imageId);
  });

  test('T18: cannot name an image of the platform', async () => {
    await repository({ Dockerfile: 'ARG BASE\nFROM $BASE\n' });
    const { error } = await lab.buildFails({ buildArguments: { BASE: 'berth/other:dep1' } });
    expect(error).toMatchObject({ code: 'dockerfile_invalid' });
  });
});

/** The one file of an archive. */
async function tarFile(archive: NodeJS.ReadableStream): Promise<Buffer> {
  const bytes = await buffer(archive);
  const size = Number.parseInt(bytes.subarray(124, 136).toString('latin1'), 8);
  return bytes.subarray(512, 512 + size);
}

async function run(image: string): Promise<string> {
  const container = await docker.createContainer({
    Image: image,
    Labels: { 'berth.instance': instanceId },
    HostConfig: { NetworkMode: 'none' },
  });
  try {
    await container.start();
    await eventually(async () => !(await container.inspect()).State.Running);
    const log = await container.logs({ stdout: true, stderr: true, follow: false });
    return log.subarray(8).toString('utf8');
  } finally {
    await container.remove({ force: true, v: true });
  }
}

/** Containers of running build steps carry no label: these are told by what only these tests run. */
async function ourStepContainers(): Promise<string[]> {
  const containers = await docker.listContainers({ all: true });
  return containers.filter(({ Command }) => Command.includes(LONG_STEP)).map(({ Id }) => Id);
}

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await delay(100)) {
    if (await condition()) return;
  }
  throw new Error('It did not come true within a minute.');
}

function textsOf(lines: readonly Line[]): string[] {
  return lines.map(({ text }) => text);
}
