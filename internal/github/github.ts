import type { GithubSettings } from '../config/config.ts';
import { type CallGithub, type CallOptions, githubCaller } from './call-github.ts';
import { GithubApp } from './github-app.ts';

/** GitHub as this installation is set up for it. Everything that asks it goes through here. */
export interface Github {
  /** https://github.com, or a GitHub Enterprise Server. */
  readonly url: string;
  readonly call: CallGithub;
  /** Null: no App is set up. */
  readonly app: GithubApp | null;
}

export function createGithub(
  settings: Pick<GithubSettings, 'url' | 'apiUrl' | 'app'>,
  options: Pick<CallOptions, 'deadlineMs'> = {},
): Github {
  const { url, apiUrl, app } = settings;
  const call = githubCaller({ apiUrl, ...options });
  return { url, call, app: app && new GithubApp({ apiUrl, app, ...options }, call) };
}
