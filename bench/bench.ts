import type { Platform } from '../test/support/platform.ts';
import type { PrivateDocker } from '../test/support/private-docker.ts';

/** What one measurement needs and gives. */
export interface BenchTools {
  /** A platform of its own, built and with production settings, but for those given. */
  readonly startPlatform: (
    settings?: Readonly<Record<string, string>>,
    options?: { node?: string; traefik?: string; docker?: PrivateDocker },
  ) => Promise<Platform>;
  /** For files of this measurement; removed after it. */
  readonly folder: string;
  /** Process id of the Postgres server. */
  readonly postgresPid: () => number;
  /** It ends and begins again at the same port. */
  readonly restartPostgres: () => Promise<void>;
  readonly nodeImage: string;
  readonly say: (text: string) => void;
}

export interface BenchResult {
  /** Rows of a Markdown table, the first one its head. */
  readonly table: readonly (readonly string[])[];
  /** Sentences below the table. */
  readonly notes: readonly string[];
  /** Null: it has no goal. */
  readonly goal: { readonly text: string; readonly reached: boolean } | null;
}

export interface Bench {
  readonly name: string;
  readonly title: string;
  run(tools: BenchTools): Promise<BenchResult>;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`;
}
