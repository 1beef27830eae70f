import type { LineSink } from '../engine/ports.ts';
import { megabytes } from './megabytes.ts';

const MB = 1024 * 1024;
/** Of a layer larger than this it is told how far it is, at each quarter. */
const LARGE_BYTES = 32 * MB;
const QUARTERS = 4;

interface Layer {
  readonly number: number;
  /** As far as Docker has told. */
  bytes: number;
  quarters: number;
  isDone: boolean;
}

/** Turns the daemon's messages about one push, many a second, into a few lines, and remembers how it came out. */
export class PushTranscript {
  /** The daemon's words when it failed. */
  error: string | null = null;
  /** `sha256:…` of the manifest, once the registry has it. */
  digest: string | null = null;

  readonly #onLine: LineSink;
  readonly #layers = new Map<string, Layer>();

  constructor(onLine: LineSink) {
    this.#onLine = onLine;
  }

  take(message: unknown): void {
    if (!isRecord(message)) return;
    const { status, id, progressDetail, aux, error } = message;
    if (typeof error === 'string') this.error = error.trim();
    else if (isRecord(aux) && typeof aux['Digest'] === 'string') this.digest = aux['Digest'];
    else if (typeof status === 'string' && typeof id === 'string') {
      this.#takeLayer(id, status, isRecord(progressDetail) ? progressDetail : {});
    }
  }

  #takeLayer(id: string, status: string, progress: Record<string, unknown>): void {
    const layer = this.#layers.get(id) ?? {
      number: this.#layers.size + 1,
      bytes: 0,
      quarters: 0,
      isDone: false,
    };
    this.#layers.set(id, layer);
    if (status === 'Pushing') this.#takeProgress(layer, progress);
    else if (status.startsWith('Retrying in')) this.#say(layer, lowered(status), 'warning');
    else if (/^(?:Pushed|Layer already exists|Mounted from)/.test(status) && !layer.isDone) {
      layer.isDone = true;
      const size = status === 'Pushed' && layer.bytes > 0 ? ` (${megabytes(layer.bytes)})` : '';
      this.#say(layer, status === 'Pushed' ? `pushed${size}` : 'is there already');
    }
  }

  #takeProgress(layer: Layer, { current, total }: Record<string, unknown>): void {
    if (typeof current !== 'number') return;
    layer.bytes = Math.max(layer.bytes, current);
    if (typeof total !== 'number' || total < LARGE_BYTES) return;
    const quarters = Math.floor((current / total) * QUARTERS);
    if (quarters <= layer.quarters || quarters >= QUARTERS) return;
    layer.quarters = quarters;
    this.#say(layer, `${megabytes(current)} of ${megabytes(total)}`);
  }

  #say({ number }: Layer, text: string, level: 'info' | 'warning' = 'info'): void {
    this.#onLine({ text: `Layer ${number}/${this.#layers.size}: ${text}`, level });
  }
}

function lowered(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
