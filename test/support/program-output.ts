import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Something of this machine, or why it is not here. */
export type Found<Name extends string> = { readonly [name in Name]: string } | { readonly lacks: string };

/** What a program prints; null when it fails or is not there. */
export async function programOutput(program: string, args: readonly string[]): Promise<string | null> {
  try {
    return (await promisify(execFile)(program, [...args])).stdout;
  } catch {
    return null;
  }
}
