import { describe, expect, test } from '@jest/globals';
import type { Line } from '../engine/ports.ts';
import { BuildTranscript, type OwnSteps } from './build-transcript.ts';

/** A number among the messages lets so many milliseconds pass. */
function transcribe(messages: readonly unknown[], ownSteps?: OwnSteps) {
  const lines: Line[] = [];
  let now = 0;
  const transcript = new BuildTranscript(
    (line) => lines.push(line),
    ownSteps,
    () => now,
  );
  for (const message of messages) {
    if (typeof message === 'number') now += message;
    transcript.take(message);
  }
  transcript.close();
  return { lines, transcript };
}

describe('the classic builder', () => {
  test('output is put together to lines, by stream', () => {
    const { lines } = transcribe([
      { stream: 'one ' },
      { stream: '\u001b[91mwarn\n\u001b[0m' },
      { stream: 'line\r\ntwo\n\n' },
      { stream: 'no end' },
      { stream: ' ---> [Warning] IPv4 forwarding is disabled.\n' },
    ]);
    expect(lines).toEqual([
      { text: 'warn', stream: 'stderr' },
      { text: 'one line', stream: 'stdout' },
      { text: 'two', stream: 'stdout' },
      { text: 'no end', stream: 'stdout' },
      { text: ' ---> [Warning] IPv4 forwarding is disabled.', stream: 'stdout' },
    ]);
  });

  test('a step is told by its place, what it writes, and its time, or that it is from the cache', () => {
    const { lines } = transcribe([
      { stream: 'Step 1/4 : FROM a\n' },
      499,
      { stream: ' ---> 0123456789ab\n' },
      { stream: 'Step 2/4 : RUN one\n' },
      { stream: ' ---> Using cache\n' },
      { stream: ' ---> 1123456789ab\n' },
      { stream: 'Step 3/4 : RUN two\n' },
      { stream: ' ---> Running in 2123456789ab\n' },
      { stream: 'out' },
      2_340,
      { stream: 'Removing intermediate container 2123456789ab\n' },
      100,
      { stream: ' ---> 3123456789ab\n' },
      { stream: 'Step 4/4 : RUN three\n' },
      { stream: ' ---> Running in 4123456789ab\n' },
      5_000,
      { error: 'non-zero code: 1', errorDetail: { code: 1, message: '' } },
    ]);
    expect(lines).toEqual([
      { text: 'Step 1/4 : FROM a', level: 'deploy' },
      { text: 'Step 2/4 : RUN one', level: 'deploy' },
      { text: 'Step 2/4 is from the cache' },
      { text: 'Step 3/4 : RUN two', level: 'deploy' },
      { text: 'out', stream: 'stdout' },
      { text: 'Step 3/4 took 2.4 s' },
      { text: 'Step 4/4 : RUN three', level: 'deploy' },
      { text: 'non-zero code: 1', level: 'error' },
    ]);
  });

  test.each([
    ["/bin/sh: can't fork: Resource temporarily unavailable", true],
    ['bash: fork: retry: Resource temporarily unavailable', true],
    ['Error: spawn /usr/local/bin/node EAGAIN', true],
    ["RuntimeError: can't start new thread", true],
    ['runtime: failed to create new OS thread (have 12 already; errno=11)', true],
    ['java.lang.OutOfMemoryError: unable to create native thread', true],
    ['fork us on GitHub', false],
    ['read: Resource temporarily unavailable', false],
  ])('T21: %s: a process could not be started: %s', (text, couldNotFork) => {
    const begun = [{ stream: 'Step 1/1 : RUN x\n' }, { stream: `${text}\n` }];
    expect(transcribe(begun).transcript.couldNotFork).toBe(couldNotFork);
    const next = [...begun, { stream: 'Step 2/2 : RUN y\n' }];
    expect(transcribe(next).transcript.couldNotFork).toBe(false);
  });

  test('our own steps are not shown, nor counted', () => {
    const label = 'LABEL berth.app=x';
    const { lines, transcript } = transcribe(
      [
        { stream: 'Step 1/7 : FROM a\n' },
        { stream: `Step 2/7 : ${label}\n` },
        { stream: ' ---> Running in 1123456789ab\n' },
        1_000,
        { stream: ' ---> 0123456789ab\n' },
        { stream: 'Step 3/7 : RUN make\n' },
        { stream: 'Step 4/7 : FROM b\n' },
        { stream: `Step 5/7 : ${label}\n` },
        { stream: ' ---> Using cache\n' },
        { stream: 'Step 6/7 : COPY . .\n' },
        { stream: ' ---> Running in 2123456789ab\n' },
        1_000,
        { stream: ' ---> 5123456789ab\n' },
        { stream: `Step 7/7 : ${label} berth.deployment=y\n` },
        { stream: ' ---> Running in 3123456789ab\n' },
        1_000,
        { stream: ' ---> 6123456789ab\n' },
        { aux: { ID: 'sha256:1' } },
        { stream: 'Successfully built 1\n' },
      ],
      { stageInstruction: label, stages: 2, last: 1 },
    );
    expect(lines.map(({ text }) => text)).toEqual([
      'Step 1/4 : FROM a',
      'Step 2/4 : RUN make',
      'Step 3/4 : FROM b',
      'Step 4/4 : COPY . .',
      'Step 4/4 took 1.0 s',
      'Successfully built 1',
    ]);
    expect(transcript).toMatchObject({ step: 'COPY . .', imageId: 'sha256:1', error: null });
  });

  test('an error is told with its exit code', () => {
    const { lines, transcript } = transcribe([
      { stream: 'Step 1/1 : RUN false\n' },
      {
        errorDetail: { code: 3, message: 'returned a non-zero code: 3' },
        error: 'returned a non-zero code: 3',
      },
    ]);
    expect(transcript).toMatchObject({ step: 'RUN false', error: { exitCode: 3 } });
    expect(lines.at(-1)).toEqual({ text: 'returned a non-zero code: 3', level: 'error' });
  });

  test('of a pull only beginnings and ends are lines', () => {
    const { lines } = transcribe([
      { status: 'Pulling from library/node', id: '20' },
      { status: 'Downloading', progressDetail: { current: 1, total: 2 }, id: 'a' },
      { status: 'Pull complete', progressDetail: {}, id: 'a' },
      { status: 'Digest: sha256:1' },
    ]);
    expect(lines.map(({ text }) => text)).toEqual([
      '20: Pulling from library/node',
      'a: Pull complete',
      'Digest: sha256:1',
    ]);
  });

  test('a line without an end does not grow for ever', () => {
    const { lines } = transcribe(Array.from({ length: 100 }, () => ({ stream: 'x'.repeat(10_000) })));
    expect(Math.max(...lines.map(({ text }) => text.length))).toBeLessThanOrEqual(74_000);
    expect(lines.reduce((sum, { text }) => sum + text.length, 0)).toBe(1_000_000);
  });
});

describe('BuildKit', () => {
  // Protobuf by hand: field number and wire type, then the value.
  const varint = (value: number) => {
    const bytes: number[] = [];
    for (let rest = value; ; rest = Math.floor(rest / 128)) {
      if (rest < 128) return Buffer.from([...bytes, rest]);
      bytes.push((rest % 128) + 128);
    }
  };
  const field = (number: number, value: string | number | Buffer): Buffer => {
    if (typeof value === 'number') return Buffer.concat([varint(number * 8), varint(value)]);
    const bytes = Buffer.from(value as string);
    return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
  };
  const trace = (...fields: Buffer[]) => ({
    id: 'moby.buildkit.trace',
    aux: Buffer.concat(fields).toString('base64'),
  });
  const at = (seconds: number, nanoseconds = 0) => Buffer.concat([field(1, seconds), field(2, nanoseconds)]);
  const step = (name: string, ...more: Buffer[]) =>
    field(1, Buffer.concat([field(1, `sha256:${name}`), field(3, name), field(5, at(300)), ...more]));
  const log = (stream: number, text: string) => field(3, Buffer.concat([field(3, stream), field(4, text)]));

  test('steps, output and the failed step are told', () => {
    const { lines, transcript } = transcribe([
      trace(step('[internal] load build context')),
      trace(step('[1/2] FROM x', field(4, 1)), step('[2/2] RUN make')),
      trace(log(1, 'out'), log(2, 'err\n')),
      trace(step('[2/2] RUN make', field(6, at(301)), field(7, 'exit code: 2'))),
      { error: 'executor failed: exit code: 2', errorDetail: { message: '' } },
      { id: 'moby.image.id', aux: { ID: 'sha256:1' } },
    ]);
    expect(lines).toEqual([
      { text: '[1/2] FROM x (cached)', level: 'deploy' },
      { text: '[2/2] RUN make', level: 'deploy' },
      { text: 'err', stream: 'stderr' },
      { text: 'out', stream: 'stdout' },
      { text: 'executor failed: exit code: 2', level: 'error' },
    ]);
    expect(transcript).toMatchObject({ step: 'RUN make', imageId: 'sha256:1', error: { exitCode: 2 } });
  });

  test('a step that has ended is told with its time, once, unless it took none', () => {
    const ended = step('[2/3] RUN make', field(6, at(312, 340_000_000)));
    const { lines } = transcribe([
      trace(step('[1/3] FROM x', field(6, at(300, 499_000_000)))),
      trace(step('[2/3] RUN make')),
      trace(ended),
      trace(ended, step('[3/3] COPY . .', field(4, 1), field(6, at(400)))),
    ]);
    expect(lines.map(({ text }) => text)).toEqual([
      '[1/3] FROM x',
      '[2/3] RUN make',
      '[2/3] RUN make took 12.3 s',
      '[3/3] COPY . . (cached)',
    ]);
  });

  test.each(['', 'AAAA', 'CgE', Buffer.alloc(50, 0xff).toString('base64')])(
    'a broken trace is no line: %s',
    (aux) => {
      expect(transcribe([{ id: 'moby.buildkit.trace', aux }]).lines).toEqual([]);
    },
  );
});

test.each([null, 1, 'x', [], {}, { aux: 1 }, { stream: 7 }])(
  'what is no message is passed over: %j',
  (message) => {
    expect(transcribe([message]).lines).toEqual([]);
  },
);
