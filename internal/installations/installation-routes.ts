import { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import { isLocalPath } from '../auth/return-to.ts';
import { AppError } from '../errors/app-error.ts';
import { type Caller, type Operation, op } from '../openapi/operation.ts';
import { answeringGithubErrors } from './answer-github-errors.ts';
import {
  type ConnectNeeds,
  connectFound,
  connectInstallation,
  refreshInstallation,
  requireApp,
} from './connect-installation.ts';
import { keepState, takeState } from './install-state.ts';
import { listInstallations, unbindInstallation } from './installation-store.ts';
import { installationId, installationSchema, viewInstallation } from './installation-view.ts';

const HOME = '/';
const AWAY = ['github_not_configured', 'github_unavailable', 'github_refused'] as const;
const CONNECT = [...AWAY, 'github_not_connected'] as const;

const listSchema = z.object({ items: z.array(installationSchema) });

/** As GitHub sends it; what else it adds is passed by. */
const arriveQuery = z.object({
  installation_id: z.string().max(20).optional(),
  setup_action: z.string().max(20).optional(),
  state: z.string().max(100).optional(),
});

/** Connecting installations of the GitHub App with accounts here. */
export function installationRoutes(needs: ConnectNeeds): Operation[] {
  const { prisma, github } = needs;
  const list = async ({ userId }: Caller) => ({
    items: (await listInstallations(prisma, userId)).map((row) => viewInstallation(row, github.url)),
  });

  return [
    op({
      method: 'get',
      path: '/github/install',
      id: 'leaveToInstall',
      tag: 'github',
      summary: 'Install the GitHub App',
      description:
        'For a browser that is signed in: leads to the page of the GitHub App, where repositories are chosen, and from ' +
        'there to `/github/install/callback`.',
      auth: 'token',
      scope: 'admin',
      query: z.strictObject({
        return_to: z
          .string()
          .refine(isLocalPath, 'must be a path on this host, such as /ui/apps')
          .optional()
          .meta({ description: 'Where the browser goes afterwards; a path on this host.' }),
      }),
      errors: ['session_needed', ...AWAY],
      responses: { 302: { description: 'To GitHub' } },
      async handler({ query }, { caller }) {
        requireBrowser(caller);
        const page = await answeringGithubErrors(() => requireApp(github).pageUrl());
        const { userId } = caller;
        const state = await keepState(prisma, { userId, returnTo: query.return_to ?? null });
        return { status: 302, headers: { Location: `${page}/installations/new?state=${state}` } };
      },
    }),

    op({
      method: 'get',
      path: '/github/install/callback',
      id: 'arriveInstalled',
      tag: 'github',
      summary: 'Come back from installing the GitHub App',
      description:
        'The setup URL of the GitHub App. Connects the installation with your account, once GitHub has confirmed with ' +
        'your own token that it is yours. The answer leads to `return_to`, with `github=connected`, or ' +
        '`github=requested` when an owner of the organisation has to approve first.',
      auth: 'token',
      scope: 'admin',
      query: arriveQuery,
      errors: ['session_needed', 'sign_in_refused', 'installation_taken', ...CONNECT],
      responses: { 302: { description: 'Connected: back to `return_to`' } },
      async handler({ query }, call) {
        requireBrowser(call.caller);
        const { userId } = call.caller;
        const id = numberIn(query.installation_id);
        const departure = await takeState(prisma, { state: query.state ?? '', userId });
        const back = (outcome: string) => ({
          status: 302 as const,
          headers: { Location: withOutcome(departure?.returnTo ?? HOME, outcome) },
        });
        if (!departure) {
          // Whoever changes at GitHub itself what it covers is led here as well.
          const isOurs =
            id !== null && (await answeringGithubErrors(() => refreshInstallation(needs, userId, id)));
          if (isOurs) return back('updated');
          throw didNotLeave();
        }
        // A member of an organisation has asked; there is no installation yet.
        if (query.setup_action === 'request') return back('requested');
        if (id === null) throw new AppError('not_found', 'GitHub has named no installation.');
        await answeringGithubErrors(() => connectInstallation(needs, call, id));
        return back('connected');
      },
    }),

    op({
      method: 'get',
      path: '/github/installations',
      id: 'listInstallations',
      tag: 'github',
      summary: 'List your installations of the GitHub App',
      auth: 'token',
      responses: { 200: { description: 'All of them, oldest first', schema: listSchema } },
      async handler(_input, { caller }) {
        return { status: 200, body: await list(caller) };
      },
    }),

    op({
      method: 'post',
      path: '/github/installations',
      id: 'findInstallations',
      tag: 'github',
      summary: 'Look at GitHub for your installations',
      description:
        'Asks GitHub, by your own token, for installations of the GitHub App on your account and on organisations ' +
        'that you own, connects those that are not yet, and reads anew what they cover. Done again, it changes nothing.',
      auth: 'token',
      errors: CONNECT,
      responses: { 200: { description: 'All that are connected now', schema: listSchema } },
      async handler(_input, call) {
        await answeringGithubErrors(() => connectFound(needs, call));
        return { status: 200, body: await list(call.caller) };
      },
    }),

    op({
      method: 'delete',
      path: '/github/installations/:id',
      id: 'disconnectInstallation',
      tag: 'github',
      summary: 'Disconnect an installation',
      description: 'It stays installed at GitHub; apps here no longer use it.',
      auth: 'token',
      params: z.object({ id: installationId }),
      responses: { 204: { description: 'Disconnected' } },
      async handler({ params }, call) {
        await prisma.$transaction(async (tx) => {
          await unbindInstallation(tx, BigInt(params.id), call.caller.userId);
          await recordAudit(tx, call, {
            action: 'installation.disconnect',
            object: 'installation',
            objectId: params.id,
          });
        });
        return { status: 204 };
      },
    }),
  ];
}

/** What a page elsewhere could make a program's token do is nothing; a browser must come by itself. */
function requireBrowser(caller: Caller): void {
  if (caller.via !== 'token') return;
  throw new AppError(
    'session_needed',
    'GitHub leads a browser back here: open this address in one that is signed in. With an API token use POST /github/installations.',
  );
}

function didNotLeave(): AppError {
  return new AppError(
    'sign_in_refused',
    'You did not leave from here for GitHub in the last hour, or came back already. ' +
      'Begin at /github/install; for an installation made at GitHub itself, use POST /github/installations.',
  );
}

function numberIn(text: string | undefined): bigint | null {
  const id = installationId.safeParse(text);
  return id.success ? BigInt(id.data) : null;
}

function withOutcome(path: string, outcome: string): string {
  const url = new URL(path, 'http://this.host');
  url.searchParams.set('github', outcome);
  return `${url.pathname}${url.search}${url.hash}`;
}
