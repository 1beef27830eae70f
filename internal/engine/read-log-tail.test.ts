import { expect, test } from '@jest/globals';
import { Secret } from '../secrets/secret.ts';
import { readLogTail } from './read-log-tail.ts';

const SECRET = 'canary-4f2a9c0e1b7d';

async function tailOf(...lines: string[]): Promise<string[]> {
  const tools = {
    containers: { logTail: async () => lines },
    releaseSecrets: async (deploymentId: string) => (deploymentId === 'dep1' ? [new Secret(SECRET)] : []),
  };
  return readLogTail(tools as unknown as Parameters<typeof readLogTail>[0], {
    containerId: 'c1',
    deploymentId: 'dep1',
  });
}

test('T24: the last words of a container hold no secret of its release', async () => {
  const base64 = Buffer.from(SECRET).toString('base64');
  expect(await tailOf(`token ${SECRET}!`, base64, 'fine')).toEqual(['token ***!', '***', 'fine']);
});

test('T24: nor half of one, where a long line is cut', async () => {
  const [line = ''] = await tailOf(`${'x'.repeat(4_090)}${SECRET}`);
  expect(line).toBe(`${'x'.repeat(4_090)}***`);
  expect((await tailOf('y'.repeat(10_000)))[0]).toHaveLength(4_096);
});
