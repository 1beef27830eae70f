/** What BuildKit tells while it builds, as far as people read it. */
export interface TraceUpdate {
  readonly steps: readonly {
    readonly digest: string;
    readonly name: string;
    readonly startedAt: number | null;
    /** Both in milliseconds since 1970. */
    readonly completedAt: number | null;
    readonly cached: boolean;
    readonly error: string;
  }[];
  readonly output: readonly { readonly stream: 'stdout' | 'stderr'; readonly text: string }[];
}

/**
 * Decodes one `moby.buildkit.trace` entry: a protobuf `StatusResponse` (moby/buildkit, api/services/control/control.proto:
 * vertexes = 1, logs = 3). Only these few fields, so that no protobuf library is loaded. @throws RangeError when cut off
 */
export function decodeTrace(base64: string): TraceUpdate {
  const steps: TraceUpdate['steps'][number][] = [];
  const output: TraceUpdate['output'][number][] = [];
  for (const { number, value } of fieldsOf(Buffer.from(base64, 'base64'))) {
    if (typeof value === 'bigint') continue;
    if (number === 1) {
      const fields = lastOf(value);
      steps.push({
        digest: textOf(fields.get(1)),
        name: textOf(fields.get(3)),
        cached: fields.get(4) === 1n,
        startedAt: timeOf(fields.get(5)),
        completedAt: timeOf(fields.get(6)),
        error: textOf(fields.get(7)),
      });
    } else if (number === 3) {
      const fields = lastOf(value);
      output.push({ stream: fields.get(3) === 2n ? 'stderr' : 'stdout', text: textOf(fields.get(4)) });
    }
  }
  return { steps, output };
}

type Value = bigint | Buffer;

function lastOf(message: Buffer): Map<number, Value> {
  return new Map([...fieldsOf(message)].map(({ number, value }) => [number, value]));
}

function textOf(value: Value | undefined): string {
  return Buffer.isBuffer(value) ? value.toString('utf8') : '';
}

/** Of a `google.protobuf.Timestamp`. */
function timeOf(value: Value | undefined): number | null {
  if (!Buffer.isBuffer(value)) return null;
  const fields = lastOf(value);
  return Number(fields.get(1) ?? 0n) * 1000 + Number(fields.get(2) ?? 0n) / 1_000_000;
}

function* fieldsOf(message: Buffer): Generator<{ number: number; value: Value }> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const key = Number(varint());
    const number = key >> 3;
    switch (key & 7) {
      case 0:
        yield { number, value: varint() };
        break;
      case 1:
        at += 8;
        break;
      case 2: {
        const length = Number(varint());
        if (at + length > message.length) throw new RangeError('The message is cut off.');
        yield { number, value: message.subarray(at, at + length) };
        at += length;
        break;
      }
      case 5:
        at += 4;
        break;
      default:
        throw new RangeError(`Unknown wire type ${key & 7}.`);
    }
  }
}
