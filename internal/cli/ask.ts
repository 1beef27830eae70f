import type { Readable, Writable } from 'node:stream';
import { Interrupted, usageError } from './cli-error.ts';

export interface Questioner {
  readonly input: Readable & { readonly isTTY?: boolean };
  /** Standard error, so that the result of a command stays alone on standard output. */
  readonly output: Writable & { readonly isTTY?: boolean };
  readonly signal: AbortSignal;
}

const LONGEST_ANSWER = 10_000;
const LARGEST_INPUT = 1024 * 1024;

/** Is there a person to ask? */
export function canAsk({ input, output }: Questioner): boolean {
  return input.isTTY === true && output.isTTY === true;
}

export async function askText(questioner: Questioner, message: string, proposal: string): Promise<string> {
  // Taken in only here: it costs more to load than all the rest.
  const { text } = await import('@clack/prompts');
  return answerOf(questioner, await text({ ...questioner, message, initialValue: proposal }));
}

/** What is typed is not shown. */
export async function askSecret(questioner: Questioner, message: string): Promise<string> {
  const { password } = await import('@clack/prompts');
  return answerOf(questioner, await password({ ...questioner, message }));
}

export async function askToConfirm(questioner: Questioner, message: string): Promise<boolean> {
  const { confirm } = await import('@clack/prompts');
  return answerOf(questioner, await confirm({ ...questioner, message, initialValue: false }));
}

/** What was piped in. @throws CliError when it is nothing, or no short text */
export async function readPiped({ input }: Questioner, what: string): Promise<string> {
  let text = '';
  for await (const chunk of input) {
    text += String(chunk);
    if (text.length > LONGEST_ANSWER) break;
  }
  text = text.trim();
  if (text === '' || /\s/.test(text) || text.length > LONGEST_ANSWER) {
    throw usageError(`${what} is wanted on standard input: one word, nothing else.`);
  }
  return text;
}

/** All of standard input, as it is. @throws CliError when nothing is piped in, or too much */
export async function readAll({ input }: Questioner): Promise<string> {
  if (input.isTTY === true) throw usageError('Pipe it in on standard input.');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    chunks.push(Buffer.from(chunk));
    bytes += chunks.at(-1)?.length ?? 0;
    if (bytes > LARGEST_INPUT) throw usageError('Standard input is too large for an environment.');
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Clack answers Ctrl-C with a symbol. */
function answerOf<T>({ signal }: Questioner, answer: T): Exclude<T, symbol> {
  if (typeof answer !== 'symbol') return answer as Exclude<T, symbol>;
  signal.throwIfAborted();
  throw new Interrupted('SIGINT');
}
