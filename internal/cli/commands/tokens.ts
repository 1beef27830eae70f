import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ApiClient } from '../api-client.ts';
import type { NewToken, Token } from '../api-views.ts';
import { CliError, usageError } from '../cli-error.ts';
import { type Context, connect } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { formatTable } from '../table.ts';

const SCOPES = ['read', 'deploy', 'admin'];
const MAX_DAYS = 3_650;

interface CreateOptions {
  readonly scope: string;
  readonly expires?: number;
}

export function addTokenCommands(program: Command, context: Context): void {
  const tokens = program.command('tokens').description('list, create and remove your API tokens');
  tokens
    .command('list', { isDefault: true })
    .description('list tokens, newest first')
    .action(context.act(() => list(context)));
  tokens
    .command('create')
    .description('make a token; it is shown this once')
    .argument('<name>', 'what it is for')
    .addOption(new Option('--scope <scope>', 'what it may do').choices(SCOPES).default('deploy'))
    .option('--expires <days>', 'after so many days; default: never', days)
    .action(context.act((name: string, options: CreateOptions) => create(context, name, options)));
  tokens
    .command('remove')
    .description('remove a token; it ends at once')
    .argument('<token>', 'name or id')
    .action(context.act((token: string) => remove(context, token)));
}

async function list(context: Context): Promise<ExitCode> {
  const { terminal } = context;
  const tokens = await (await connect(context)).list<Token>('/tokens');
  const lines = formatTable<Token>(
    tokens,
    [
      { title: 'NAME', value: ({ name }) => name },
      { title: 'ID', value: ({ id }) => id, isWhole: true },
      { title: 'SCOPE', value: ({ scope }) => scope, isWhole: true },
      { title: 'BEGINS WITH', value: ({ prefix }) => prefix, isWhole: true },
      { title: 'LAST USED', value: (token) => dayOf(token.last_used_at) },
      { title: 'EXPIRES', value: (token) => dayOf(token.expires_at) },
    ],
    terminal.width,
  );
  terminal.result(tokens, lines);
  return EXIT.ok;
}

async function create(context: Context, name: string, options: CreateOptions): Promise<ExitCode> {
  const client = await connect(context);
  const body = { name, scope: options.scope, expires_in_days: options.expires ?? null };
  const made = await client.inSession((signedIn) => signedIn.postOnce<NewToken>('/tokens', body));
  const until = made.expires_at === null ? 'does not expire' : `expires on ${dayOf(made.expires_at)}`;
  context.terminal.message(
    `Token ${made.name} (${made.id}, ${made.scope}) ${until}. It is not shown again: keep it now.`,
  );
  context.terminal.result(made, [made.token]);
  return EXIT.ok;
}

async function remove(context: Context, nameOrId: string): Promise<ExitCode> {
  const client = await connect(context);
  const token = await findToken(client, nameOrId);
  await client.delete(`/tokens/${token.id}`);
  context.terminal.message(`Token ${token.name} (${token.id}) is removed.`);
  context.terminal.result({ id: token.id, removed: true }, []);
  return EXIT.ok;
}

async function findToken(client: ApiClient, nameOrId: string): Promise<Token> {
  const tokens = await client.list<Token>('/tokens');
  const byId = tokens.filter(({ id }) => id === nameOrId);
  const [token, ...others] = byId.length > 0 ? byId : tokens.filter(({ name }) => name === nameOrId);
  if (others.length > 0) {
    throw usageError(`More than one token is called "${nameOrId}"; "berth tokens" shows their ids.`);
  }
  if (token) return token;
  const message = `There is no token "${nameOrId}"; "berth tokens" lists them.`;
  throw new CliError(EXIT.refused, message, { code: 'not_found' });
}

function dayOf(time: string | null): string {
  return time?.slice(0, 'YYYY-MM-DD'.length) ?? 'never';
}

function days(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= MAX_DAYS) return value;
  throw new InvalidArgumentError(`Give a number of days from 1 to ${MAX_DAYS}`);
}
