import type { Command } from 'commander';
import { Secret } from '../../secrets/secret.ts';
import { ApiClient } from '../api-client.ts';
import { isExposed, parseApiUrl } from '../api-url.ts';
import { askSecret, askText, canAsk, readPiped } from '../ask.ts';
import { usageError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { readLogin, removeLogin, storeLogin } from '../stored-login.ts';

const PROPOSED_URL = 'http://127.0.0.1:8080';

export function addLoginCommands(program: Command, context: Context): void {
  program
    .command('login')
    .description('sign in: the token is asked for, or read from standard input')
    .argument('[url]', 'address of the installation, e.g. https://berth.example.org')
    .action(context.act((url: string | undefined) => login(context, url)));
  program
    .command('logout')
    .description('forget the address and the token')
    .action(context.act(() => logout(context)));
}

async function login(context: Context, given: string | undefined): Promise<ExitCode> {
  const { settings, terminal, questioner, signal } = context;
  const url = await chooseUrl(context, given);
  if (isExposed(url)) {
    terminal.message(`Beware: ${url} is not https, so the token travels there in clear text.`);
  }
  const text = canAsk(questioner)
    ? await askSecret(questioner, `Token for ${url}`)
    : await readPiped(questioner, 'The token');
  const token = new Secret(text.trim());
  await new ApiClient({ url, token, signal }).get('/apps', { limit: 1 });
  await storeLogin(settings.loginFile, { url, token });
  terminal.message(`Signed in to ${url}; kept in ${settings.loginFile}.`);
  if (settings.url !== null || settings.token !== null) {
    terminal.message('BERTH_URL and BERTH_TOKEN are used before it as long as they are set.');
  }
  terminal.result({ url, login_file: settings.loginFile }, []);
  return EXIT.ok;
}

async function chooseUrl({ settings, questioner }: Context, given: string | undefined): Promise<string> {
  const stored = await readLogin(settings.loginFile).catch(() => null);
  const known = given ?? settings.url;
  const text =
    known ??
    (canAsk(questioner)
      ? await askText(questioner, 'Address of Berth', stored?.url ?? PROPOSED_URL)
      : stored?.url);
  if (text === undefined) throw usageError('Give the address: berth login https://berth.example.org');
  const url = parseApiUrl(text);
  if (url === null) throw usageError(`"${text}" is no http(s) address such as https://berth.example.org.`);
  return url;
}

async function logout({ settings, terminal }: Context): Promise<ExitCode> {
  const wasThere = await removeLogin(settings.loginFile);
  terminal.message(wasThere ? 'Signed out.' : 'You were not signed in.');
  terminal.result({ login_file: settings.loginFile, removed: wasThere }, []);
  return EXIT.ok;
}
