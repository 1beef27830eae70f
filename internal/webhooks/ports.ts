import type { Db } from '../db/database.ts';
import type { Secret } from '../secrets/secret.ts';
import type { Payload } from './read-delivery.ts';

/** The app whose repository is to get a webhook. */
export interface HookedApp {
  readonly id: string;
  /** Its owner, by whose access to GitHub it is done. */
  readonly userId: string;
  readonly repoUrl: string;
}

/** Something that GitHub, or a lack of access to it, stands against; one sentence for a person. */
export interface NotPossible {
  readonly notPossible: string;
}

/** Webhooks in repositories, by GitHub's API. Fails in words, never by throwing for what GitHub answers. */
export interface WebhookCreator {
  /** Makes it; one with this URL that is there already gets the secret instead. */
  createHook(
    app: HookedApp,
    hook: { readonly url: string; readonly secret: Secret },
  ): Promise<{ readonly hookId: bigint } | NotPossible>;
  /** Done also when it was not there any more. */
  removeHook(app: HookedApp, hookId: bigint): Promise<{ readonly removed: true } | NotPossible>;
}

/** Keeps what GitHub tells of installations of the GitHub App. */
export type RecordInstallation = (
  tx: Db,
  event: {
    readonly event: 'installation' | 'installation_repositories';
    readonly payload: Payload;
  },
) => Promise<void>;
