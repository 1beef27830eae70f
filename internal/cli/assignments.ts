import { usageError } from './cli-error.ts';

/** What stands in place of a value that comes by standard input. */
const FROM_INPUT = '-';

/**
 * `KEY=VALUE` of a command line. The value of one `KEY=-` is what is piped in, without the line end that `echo` adds: so
 * a secret stands in no shell history and no process list.
 * @throws CliError
 */
export async function parseAssignments(
  given: readonly string[],
  readInput: () => Promise<string>,
): Promise<{ key: string; value: string }[]> {
  const variables = given.map((text) => {
    const at = text.indexOf('=');
    // The text may be a secret that lost its key: it is not repeated.
    if (at < 1) throw usageError('Give each variable as KEY=VALUE.');
    return { key: text.slice(0, at), value: text.slice(at + 1) };
  });
  const piped = variables.filter(({ value }) => value === FROM_INPUT);
  if (piped.length === 0) return variables;
  if (piped.length > 1) throw usageError('Standard input is one value; only one variable may have KEY=-.');
  const input = (await readInput()).replace(/\r?\n$/, '');
  return variables.map(({ key, value }) => ({ key, value: value === FROM_INPUT ? input : value }));
}
