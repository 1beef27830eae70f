import { expect, test } from '@jest/globals';
import type { Line } from '../engine/ports.ts';
import { PushTranscript } from './push-transcript.ts';

const MB = 1024 * 1024;
const pushing = (id: string, current: number, total: number) => ({
  status: 'Pushing',
  id,
  progressDetail: { current: current * MB, total: total * MB },
});

function told(messages: readonly unknown[]): { lines: Line[]; transcript: PushTranscript } {
  const lines: Line[] = [];
  const transcript = new PushTranscript((line) => lines.push(line));
  for (const message of messages) transcript.take(message);
  return { lines, transcript };
}

test('layers are told when they are there, and a large one at its quarters', () => {
  const { lines, transcript } = told([
    { status: 'The push refers to repository [registry.test/a/b]' },
    { status: 'Preparing', progressDetail: {}, id: 'aaa' },
    { status: 'Preparing', progressDetail: {}, id: 'bbb' },
    { status: 'Preparing', progressDetail: {}, id: 'ccc' },
    { status: 'Waiting', progressDetail: {}, id: 'ccc' },
    { status: 'Layer already exists', progressDetail: {}, id: 'aaa' },
    pushing('bbb', 1, 3),
    pushing('bbb', 3, 3),
    { status: 'Pushed', progressDetail: {}, id: 'bbb' },
    ...[1, 20, 26, 30, 55, 99, 100].map((current) => pushing('ccc', current, 100)),
    { status: 'Pushed', progressDetail: {}, id: 'ccc' },
    { status: 'Pushed', progressDetail: {}, id: 'ccc' },
    { status: 'abc: digest: sha256:12 size: 528' },
    { progressDetail: {}, aux: { Tag: 'abc', Digest: 'sha256:12', Size: 528 } },
  ]);
  expect(lines.map(({ text }) => text)).toEqual([
    'Layer 1/3: is there already',
    'Layer 2/3: pushed (3.0 MB)',
    'Layer 3/3: 26.0 MB of 100.0 MB',
    'Layer 3/3: 55.0 MB of 100.0 MB',
    'Layer 3/3: 99.0 MB of 100.0 MB',
    'Layer 3/3: pushed (100.0 MB)',
  ]);
  expect(transcript).toMatchObject({ digest: 'sha256:12', error: null });
});

test('another try is a warning, and an error is kept in the words of Docker', () => {
  const { lines, transcript } = told([
    { status: 'Retrying in 5 seconds', progressDetail: {}, id: 'aaa' },
    { errorDetail: { message: 'denied' }, error: ' denied\n' },
    null,
    'noise',
    { status: 7 },
  ]);
  expect(lines).toEqual([{ text: 'Layer 1/1: retrying in 5 seconds', level: 'warning' }]);
  expect(transcript).toMatchObject({ digest: null, error: 'denied' });
});
