import type { Request } from 'express';
import { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import type { GithubSettings } from '../config/config.ts';
import type { Db, PrismaClient, User } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import type { CallGithub } from '../github/call-github.ts';
import { type Call, type Caller, type Operation, op, STREAMED } from '../openapi/operation.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { recordSignIn } from '../users/user-store.ts';
import { accountOf, linkAccount } from './github-account.ts';
import { requireAllowed, signInScopes } from './github-admission.ts';
import { type Arrival, GithubSignIn } from './github-sign-in.ts';
import { Handshakes } from './handshakes.ts';
import { isLocalPath } from './return-to.ts';
import type { Sessions } from './sessions.ts';

export interface GithubRouteNeeds {
  readonly prisma: PrismaClient;
  readonly box: SealedBox;
  readonly sessions: Sessions;
  readonly settings: { readonly publicUrl: string; readonly github: GithubSettings };
  readonly callGithub: CallGithub;
  /** Counts a sign-in from that address. @throws AppError rate_limited */
  readonly countSignIn: (address: string) => Promise<void>;
  /** Makes the project `default` of a new account. Handed in: projects come after accounts. */
  readonly ensureProject: (tx: Db, user: User) => Promise<unknown>;
}

const HOME = '/';
const errors = [
  'sign_in_refused',
  'csrf_refused',
  'github_account_taken',
  'rate_limited',
  'github_not_configured',
  'github_unavailable',
] as const;

const leaveQuery = z.strictObject({
  scope: z.literal('repo').optional().meta({
    description: 'Also ask for private repositories. Best when they are first needed.',
  }),
  return_to: z
    .string()
    .refine(isLocalPath, 'must be a path on this host, such as /ui/apps')
    .optional()
    .meta({ description: 'Where the browser goes afterwards; a path on this host.' }),
});

/** As GitHub sends it; what else it adds is passed by. */
const arriveQuery = z.object({
  code: z.string().max(200).optional(),
  state: z.string().max(200).optional(),
  error: z.string().max(200).optional(),
});

/** Signing in with GitHub, for browsers: away, and back again. */
export function githubRoutes(needs: GithubRouteNeeds): Operation[] {
  const { sessions, settings } = needs;
  const { github, publicUrl } = settings;
  const handshakes = new Handshakes(needs.prisma, sessions.cookie);
  const signIn = github.oauth
    ? new GithubSignIn({ ...github, oauth: github.oauth }, handshakes, `${publicUrl}/auth/github`)
    : null;

  return [
    op({
      method: 'get',
      path: '/auth/github',
      id: 'leaveForGithub',
      tag: 'accounts',
      summary: 'Sign in with GitHub',
      description:
        'For a browser: leads to GitHub, which leads back to `/auth/github/callback`. Whoever is signed in already ' +
        'connects their account with GitHub instead.',
      auth: 'none',
      query: leaveQuery,
      errors,
      responses: { 302: { description: 'To GitHub' } },
      async handler({ query }, { request, response, address }) {
        const way = requireConfigured(signIn);
        await needs.countSignIn(address);
        const caller = await callerOf(sessions, request);
        if (caller) requireOwnLink(request);
        const browser = handshakes.markBrowser(request, response);
        const departure = {
          browser,
          userId: caller?.userId ?? null,
          returnTo: query.return_to ?? null,
        };
        const scope = [...signInScopes(github), ...(query.scope ? [query.scope] : [])];
        response.set('Cache-Control', 'no-store');
        await way.leave(request, response, { departure, scope });
        return STREAMED;
      },
    }),

    op({
      method: 'get',
      path: '/auth/github/callback',
      id: 'arriveFromGithub',
      tag: 'accounts',
      summary: 'Come back from GitHub',
      description:
        'Where GitHub sends the browser. It changes nothing without a sign-in that this browser began.',
      auth: 'none',
      query: arriveQuery,
      errors,
      responses: { 302: { description: 'Signed in, or connected: back to `return_to`' } },
      async handler({ query: { code, error } }, call) {
        const way = requireConfigured(signIn);
        // With neither the library would begin a sign-in.
        if (!code && !error) {
          throw new AppError(
            'sign_in_refused',
            `GitHub has sent no code. Begin again at ${publicUrl}/auth/github.`,
          );
        }
        const arrival = await way.arrive(call.request, call.response);
        if (arrival.departure.userId === null) await enter(needs, call, arrival);
        else await link(needs, call, arrival);
        return { status: 302, headers: { Location: arrival.departure.returnTo ?? HOME } };
      },
    }),
  ];
}

async function enter(needs: GithubRouteNeeds, call: Call<null>, { identity }: Arrival): Promise<void> {
  const { prisma, box, sessions, settings } = needs;
  await requireAllowed(identity, settings.github, needs.callGithub);
  const { userId, at } = await prisma.$transaction(async (tx) => {
    const { user, isNew } = await accountOf(tx, box, identity);
    const actor = { ...call, caller: { userId: user.id } };
    const detail = { by: 'github', login: identity.login };
    if (isNew) {
      await needs.ensureProject(tx, user);
      await recordAudit(tx, actor, { action: 'user.create', object: 'user', objectId: user.id, detail });
    }
    await recordAudit(tx, actor, { action: 'session.start', object: 'session', objectId: user.id, detail });
    return { userId: user.id, at: await recordSignIn(tx, user.id) };
  });
  await sessions.start(call.request, call.response, { userId, at, tokenId: null });
}

/** The session stays: it has been this account's before, and still is. */
async function link(needs: GithubRouteNeeds, call: Call<null>, arrival: Arrival): Promise<void> {
  const { identity, departure } = arrival;
  const caller = await callerOf(needs.sessions, call.request);
  if (!caller || caller.userId !== departure.userId) {
    throw new AppError(
      'sign_in_refused',
      'You are no longer signed in as when you left for GitHub; begin again.',
    );
  }
  await needs.prisma.$transaction(async (tx) => {
    await linkAccount(tx, needs.box, { userId: caller.userId, identity });
    await recordAudit(
      tx,
      { ...call, caller },
      {
        action: 'user.link_github',
        object: 'user',
        objectId: caller.userId,
        detail: { login: identity.login, scopes: identity.scopes },
      },
    );
  });
}

/** An ended session is none: whoever has it wants to sign in. */
async function callerOf(sessions: Sessions, request: Request): Promise<Caller | null> {
  try {
    return await sessions.callerOf(request);
  } catch (error) {
    if (error instanceof AppError && error.code === 'unauthorized') return null;
    throw error;
  }
}

/**
 * A page elsewhere could sign a browser in at GitHub as someone else, and then send it here: that account would be
 * connected with ours, and could sign in as us.
 */
function requireOwnLink(request: Request): void {
  const site = request.get('sec-fetch-site');
  if (site === undefined || site === 'same-origin' || site === 'none') return;
  throw new AppError(
    'csrf_refused',
    'A page of another host has led you here, and you are signed in. Connect with GitHub from our own pages, or sign out first.',
  );
}

function requireConfigured(signIn: GithubSignIn | null): GithubSignIn {
  if (signIn) return signIn;
  throw new AppError(
    'github_not_configured',
    'Signing in with GitHub is not set up: the owner sets GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET. ' +
      'With an API token sign in by POST /auth/session.',
  );
}
